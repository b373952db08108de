"""Find the kubeconfig files, or the pod's service account, and resolve them to a ``Target``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_wasmai.cluster.kubeconfig import Kubeconfig, merge, parse
from kubectl_wasmai.cluster.resolve import names_a_cluster, resolve
from kubectl_wasmai.cluster.target import Target
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_wasmai.cluster.connection import ConnectionOptions

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def load_target(
    options: ConnectionOptions,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Target:
    """The cluster kubectl would talk to: by flag, ``KUBECONFIG``, ``~/.kube/config``, or our pod's.

    Raises KubeconfigError with what was looked for and how to give it.
    """
    config = read_files(options.kubeconfig, environ)
    if names_a_cluster(config, options):
        return resolve(config, options)
    if _in_a_pod(environ, service_account):
        return _pod_target(options, environ, service_account)
    if config.contexts or config.clusters:
        return resolve(config, options)  # says that no context is chosen, and how to choose
    looked = options.kubeconfig or environ.get("KUBECONFIG") or "~/.kube/config"
    raise KubeconfigError(
        f"no kubeconfig: {looked} {'is empty' if config.sources else 'does not exist'}, "
        "and this is not a pod of a cluster",
        "Name one with --kubeconfig or KUBECONFIG, or write one with your provider's tool.",
    )


def read_files(explicit: str | None, environ: Mapping[str, str]) -> Kubeconfig:
    """Read and merge the files that count; missing ones are skipped unless named by flag.

    Raises KubeconfigError for a file that cannot be read or understood.
    """
    if explicit:
        found = _read(Path(explicit))
        if found is None:
            raise KubeconfigError(
                f"--kubeconfig {explicit}: no such file", "Check the path, or leave the flag out."
            )
        return found
    listed = environ.get("KUBECONFIG", "")
    home = environ.get("HOME") or environ.get("USERPROFILE") or str(Path.home())
    names = listed.split(os.pathsep) if listed else [str(Path(home, ".kube", "config"))]
    paths = [Path(name) for name in dict.fromkeys(names) if name]
    return merge(config for config in map(_read, paths) if config is not None)


def _read(path: Path) -> Kubeconfig | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        why = getattr(error, "strerror", None) or str(error)
        raise KubeconfigError(
            f"cannot read the kubeconfig {path}: {why}",
            "Check its permissions, or name another one with --kubeconfig.",
        ) from error
    return parse(data, str(path))


def _in_a_pod(environ: Mapping[str, str], service_account: Path) -> bool:
    return bool(
        environ.get("KUBERNETES_SERVICE_HOST")
        and environ.get("KUBERNETES_SERVICE_PORT")
        and (service_account / "token").is_file()
    )


def _pod_target(
    options: ConnectionOptions, environ: Mapping[str, str], service_account: Path
) -> Target:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    bracketed = f"[{host}]" if ":" in host else host
    # Only without --server do we come here: let the resolver read the remaining flags.
    flags = resolve(Kubeconfig(), replace(options, server=f"https://{bracketed}:{port}"))
    own_ca = service_account / "ca.crt"
    return Target(
        server=flags.server,
        namespace=options.namespace or _pod_namespace(environ, service_account),
        tls_server_name=flags.tls_server_name,
        insecure=flags.insecure,
        ca_file=flags.ca_file or ("" if flags.insecure or not own_ca.is_file() else str(own_ca)),
        cert_file=flags.cert_file,
        key_file=flags.key_file,
        token=flags.token,
        # Kubernetes rotates it: read again as time goes by.
        token_file="" if flags.token else str(service_account / "token"),
        impersonation=flags.impersonation,
    )


def _pod_namespace(environ: Mapping[str, str], service_account: Path) -> str:
    named = environ.get("POD_NAMESPACE", "")
    if named:
        return named
    try:
        text = (service_account / "namespace").read_text("utf-8").strip()
    except (OSError, ValueError):
        text = ""
    return text or "default"
