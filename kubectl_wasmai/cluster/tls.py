"""TLS contexts. Keys given inline never stay on a disk, not even when the process is killed."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_wasmai.cluster.credentials import read_pem
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.target import Target


def context(target: Target, certificate: bytes, key: bytes) -> ssl.SSLContext:
    """A client context: ``certificate`` and ``key`` are PEM, or empty. Raises KubeconfigError."""
    # Not create_default_context: Python 3.13 refuses authorities there that lack an Authority Key
    # Identifier, as those of older clusters do, and kubectl accepts them.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        _trust(made, target)
    if certificate:
        _identify(made, certificate, key)
    return made


def _trust(made: ssl.SSLContext, target: Target) -> None:
    pem = target.ca_data
    if not pem and target.ca_file:
        pem = read_pem(target.ca_file, "certificate authority")
    if not pem:
        made.load_default_certs()
        return
    try:
        made.load_verify_locations(cadata=pem.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise KubeconfigError(
            f"the certificate authority of {target.place} holds no PEM certificate",
            "Get a fresh kubeconfig, or pass --certificate-authority.",
        ) from error


def _identify(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL reads key pairs from files only: they live for this call, readable by us alone."""
    descriptor, name = tempfile.mkstemp(prefix="kubectl-wasmai-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate.rstrip() + b"\n" + key)
        # An empty password: an encrypted key fails rather than asks on the terminal.
        made.load_cert_chain(name, password="")
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or str(error)
        raise KubeconfigError(
            f"the client certificate and key do not form a pair: {why}",
            "Get a fresh kubeconfig, or pass --client-certificate and --client-key.",
        ) from error
    finally:
        Path(name).unlink()
