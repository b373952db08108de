"""Certificates for a throw-away cluster, made by the openssl command.

Elliptic-curve keys: a key and a certificate take about 20 ms, so a control plane can be made
for every test session.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .shell import require, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VALID_DAYS = 365
_HINT = "install openssl (apt-get install openssl)"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority whose whole state lies in one folder."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """The certificate that clients and servers trust."""
        return self.directory / "ca.crt"

    @property
    def key(self) -> Path:
        """The private key that signs."""
        return self.directory / "ca.key"

    @classmethod
    def create(cls, directory: Path) -> Authority:
        """A new authority in `directory`, which is made; an authority already there is used."""
        authority = cls(directory)
        if authority.certificate.exists() and authority.key.exists():
            return authority
        require("openssl", _HINT)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _new_key(authority.key)
        run(
            [
                "openssl", "req", "-x509", "-new", "-key", authority.key,
                "-out", authority.certificate, "-days", str(VALID_DAYS),
                "-subj", "/CN=wasmlab-ca",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
            ]
        )  # fmt: skip
        return authority

    def issue(
        self, name: str, organizations: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> Certificate:
        """A certificate for `name`, good for clients and, with `hosts`, for servers.

        Kubernetes reads the common name as the user and the organizations as its groups. The
        files are named after all three, so the same request gives the same certificate back.
        """
        stem = "+".join([name, *organizations]).replace(":", "_").replace("/", "_")
        issued = Certificate(self.directory / f"{stem}.crt", self.directory / f"{stem}.key")
        if issued.certificate.exists() and not hosts:
            return issued
        _new_key(issued.key)
        request = self.directory / f"{stem}.csr"
        extensions = self.directory / f"{stem}.ext"
        extensions.write_text(_extensions(hosts))
        subject = "".join(f"/O={_escaped(o)}" for o in organizations) + f"/CN={_escaped(name)}"
        run(["openssl", "req", "-new", "-key", issued.key, "-subj", subject, "-out", request])
        run(
            [
                "openssl", "x509", "-req", "-in", request, "-CA", self.certificate,
                "-CAkey", self.key, "-CAcreateserial", "-days", str(VALID_DAYS),
                "-extfile", extensions, "-out", issued.certificate,
            ]
        )  # fmt: skip
        request.unlink()
        extensions.unlink()
        return issued


def create_key_pair(directory: Path, name: str) -> Certificate:
    """A bare key pair (public key in `.certificate`), as service-account tokens need."""
    pair = Certificate(directory / f"{name}.pub", directory / f"{name}.key")
    if not pair.key.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _new_key(pair.key)
        run(["openssl", "pkey", "-in", pair.key, "-pubout", "-out", pair.certificate])
    return pair


def _new_key(path: Path) -> None:
    run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-out", path],
        hint=_HINT,
    )  # fmt: skip
    path.chmod(0o600)


def _escaped(value: str) -> str:
    """Slashes separate the parts of a subject on openssl's command line."""
    return value.replace("\\", "\\\\").replace("/", "\\/")


def _extensions(hosts: Sequence[str]) -> str:
    lines = [
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=clientAuth" + (",serverAuth" if hosts else ""),
    ]
    if hosts:
        lines.append("subjectAltName=" + ",".join(_alternative_name(host) for host in hosts))
    return "\n".join(lines) + "\n"


def _alternative_name(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"DNS:{host}"
    return f"IP:{host}"
