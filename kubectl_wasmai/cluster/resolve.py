"""From a merged kubeconfig and the flags to one ``Target``, by kubectl's rules. Pure.

Read from client-go ``tools/clientcmd/client_config.go``. We are stricter in one place: a context
that names a cluster or user nobody defines is an error here, where kubectl goes on, to
``localhost:8080`` or as nobody.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from kubectl_wasmai.cluster.kubeconfig import (
    ClusterEntry,
    ContextEntry,
    ExecEntry,
    Kubeconfig,
    UserEntry,
)
from kubectl_wasmai.cluster.target import ExecConfig, Impersonation, Target
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.connection import ConnectionOptions

_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_PROXY_SCHEMES = ("http", "https", "socks5")


def names_a_cluster(config: Kubeconfig, options: ConnectionOptions) -> bool:
    """Whether flags or files say which cluster; if not, a pod's own cluster comes next."""
    return bool(options.context or options.cluster or options.server or config.current_context)


def resolve(config: Kubeconfig, options: ConnectionOptions) -> Target:
    """Choose context, cluster and user, and lay the flags over them.

    Raises KubeconfigError when a name dangles or the entries contradict each other.
    """
    name = options.context or config.current_context
    context = _context(config, options, name)
    cluster_name = options.cluster or context.cluster or ""
    user_name = options.user or context.user or ""
    cluster = _cluster(config, options, cluster_name, name)
    user = _user(config, options, user_name, name)
    _check_cluster(cluster, cluster_name)
    _check_user(user, user_name)
    extra = sorted((user.as_user_extra or {}).items())
    return Target(
        server=server_url(cluster.server or ""),
        context=name,
        namespace=options.namespace or context.namespace or "default",
        tls_server_name=cluster.tls_server_name or "",
        insecure=bool(cluster.insecure_skip_tls_verify),
        ca_file=cluster.certificate_authority or "",
        ca_data=_pem(cluster.certificate_authority_data, "certificate-authority-data"),
        cert_file=user.client_certificate or "",
        cert_data=_pem(user.client_certificate_data, "client-certificate-data"),
        key_file=user.client_key or "",
        key_data=_pem(user.client_key_data, "client-key-data"),
        token=user.token or "",
        token_file=user.token_file or "",
        username=user.username or "",
        password=user.password or "",
        exec=_exec(user.exec, user_name) if user.exec else None,
        auth_provider=_auth_provider(user),
        proxy_url=cluster.proxy_url or "",
        disable_compression=bool(cluster.disable_compression),
        impersonation=Impersonation(
            user=user.as_user or "",
            uid=user.as_uid or "",
            groups=tuple(user.as_groups or ()),
            extra=tuple((key, tuple(values)) for key, values in extra),
        ),
        exec_extension=_extension(cluster),
    )


def server_url(server: str) -> str:
    """``server`` as a URL without trailing slash, query or fragment.

    Raises KubeconfigError when it is neither a URL nor host:port.
    """
    # Without a scheme kubectl speaks plain http.
    url = server if "://" in server else f"http://{server}"
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is no number below 65536
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise KubeconfigError(
            f"the server {server!r} is neither a URL nor host:port",
            "Write it as https://HOST:PORT.",
        )
    return parts._replace(scheme=parts.scheme.lower(), query="", fragment="").geturl().rstrip("/")


def _context(config: Kubeconfig, options: ConnectionOptions, name: str) -> ContextEntry:
    if name in config.contexts:
        return config.contexts[name]
    if name:
        known = ", ".join(sorted(config.contexts)) or "none"
        said = "--context names" if options.context else "current-context names"
        raise KubeconfigError(
            f"context {name!r} does not exist in {config.where}",
            f"{said} it; known contexts: {known}.",
        )
    if not (options.server or options.cluster):
        raise KubeconfigError(
            f"no context is chosen: {config.where} has no current-context",
            "Choose one with --context, or for good with `kubectl config use-context NAME`.",
        )
    return ContextEntry()


def _cluster(
    config: Kubeconfig, options: ConnectionOptions, name: str, context: str
) -> ClusterEntry:
    entry = config.clusters.get(name)
    if entry is None:
        if options.cluster:
            raise KubeconfigError(
                f"cluster {name!r} does not exist in {config.where}",
                f"Known clusters: {', '.join(sorted(config.clusters)) or 'none'}.",
            )
        if not options.server:
            raise KubeconfigError(
                f"cluster {name!r} was not found for context {context!r}"
                if name
                else f"cluster was not specified for context {context!r}",
                f"Define it in {config.where}, or choose another context with --context.",
            )
        entry = ClusterEntry()
    changes: dict[str, Any] = {}
    if options.server:
        # A name meant for the kubeconfig's server would be wrong for another one.
        changes |= {"server": options.server, "tls_server_name": None}
    if options.tls_server_name:
        changes["tls_server_name"] = options.tls_server_name
    if options.insecure_skip_tls_verify or options.certificate_authority:
        changes |= {
            "insecure_skip_tls_verify": options.insecure_skip_tls_verify,
            "certificate_authority": options.certificate_authority,
            "certificate_authority_data": None,
        }
    return msgspec.structs.replace(entry, **changes)


def _user(config: Kubeconfig, options: ConnectionOptions, name: str, context: str) -> UserEntry:
    entry = config.users.get(name)
    if entry is None:
        if options.user:
            raise KubeconfigError(
                f"user {name!r} does not exist in {config.where}",
                f"Known users: {', '.join(sorted(config.users)) or 'none'}.",
            )
        if name and not (options.token or options.client_certificate):
            raise KubeconfigError(
                f"user {name!r} was not found for context {context!r}",
                f"Define it in {config.where}, or give credentials with --user or --token.",
            )
        entry = UserEntry()
    flags: dict[str, Any] = {
        "token": options.token,
        "client_certificate": options.client_certificate,
        "client_key": options.client_key,
        "as_user": options.as_user,
        "as_uid": options.as_uid,
        "as_groups": list(options.as_groups),
    }
    changes = {key: value for key, value in flags.items() if value}
    if options.token:
        changes["token_file"] = None  # else the kubeconfig's file would outlive the flag
    return msgspec.structs.replace(entry, **changes)


def _check_cluster(cluster: ClusterEntry, name: str) -> None:
    if not cluster.server:
        raise KubeconfigError(
            f"no server found for cluster {name!r}",
            "Add `server: https://HOST:PORT` to its entry, or pass --server.",
        )
    if cluster.certificate_authority and cluster.certificate_authority_data:
        raise KubeconfigError(
            "certificate-authority-data and certificate-authority are both specified "
            f"for cluster {name!r}",
            "Keep one of the two.",
        )
    has_ca = cluster.certificate_authority or cluster.certificate_authority_data
    if cluster.insecure_skip_tls_verify and has_ca:
        raise KubeconfigError(
            f"cluster {name!r} has a certificate authority and insecure-skip-tls-verify",
            "Remove one of the two: a certificate is either checked or not.",
        )
    scheme = (cluster.proxy_url or "").partition("://")[0].lower()
    if cluster.proxy_url and scheme not in _PROXY_SCHEMES:
        raise KubeconfigError(
            f"invalid 'proxy-url' {cluster.proxy_url!r} for cluster {name!r}: "
            f"unsupported scheme {scheme!r}",
            f"It must be one of {', '.join(_PROXY_SCHEMES)}.",
        )


def _check_user(user: UserEntry, name: str) -> None:
    if user.token and (user.username or user.password):
        raise KubeconfigError(
            f"more than one authentication method found for user {name!r}: token and basicAuth",
            "Only one is allowed: remove the other from the kubeconfig.",
        )
    for one, other, what in (
        (user.client_certificate, user.client_certificate_data, "client-certificate"),
        (user.client_key, user.client_key_data, "client-key"),
    ):
        if one and other:
            raise KubeconfigError(
                f"{what}-data and {what} are both specified for user {name!r}",
                "Keep one of the two; with --client-certificate and --client-key name --user too.",
            )
    certificate = user.client_certificate or user.client_certificate_data
    if certificate and not (user.client_key or user.client_key_data):
        raise KubeconfigError(
            f"user {name!r} has a client certificate without its key",
            "Add client-key-data or client-key, or pass --client-key.",
        )
    if user.exec and user.auth_provider:
        raise KubeconfigError(
            f"user {name!r} has both exec and auth-provider", "Keep one of the two."
        )
    if (user.as_uid or user.as_groups or user.as_user_extra) and not user.as_user:
        raise KubeconfigError(
            f"requesting uid, groups or user-extra for user {name!r} without impersonating a user",
            "Add --as USER.",
        )


def _exec(entry: ExecEntry, user: str) -> ExecConfig:
    problem = ""
    version = entry.api_version or ""
    mode = entry.interactive_mode or ("IfAvailable" if version.endswith("beta1") else "")
    if not entry.command:
        problem = "command must be specified"
    elif version not in _EXEC_VERSIONS:
        problem = f"apiVersion {version!r} is none of {', '.join(_EXEC_VERSIONS)}"
    elif mode not in ("Never", "IfAvailable", "Always"):
        problem = f"interactiveMode {mode!r} is none of Never, IfAvailable, Always"
    elif any(not variable.name for variable in entry.env or ()):
        problem = "env variable name must be specified"
    if problem:
        raise KubeconfigError(
            f"the exec plugin of user {user!r} is not usable: {problem}",
            "Repair its `exec:` block, or have your provider's tool write it again.",
        )
    return ExecConfig(
        command=entry.command or "",
        api_version=version,
        args=tuple(entry.args or ()),
        env=tuple((variable.name or "", variable.value or "") for variable in entry.env or ()),
        install_hint=entry.install_hint or "",
        provide_cluster_info=bool(entry.provide_cluster_info),
        interactive_mode=mode,
    )


def _auth_provider(user: UserEntry) -> tuple[str, dict[str, str]] | None:
    if user.auth_provider is None:
        return None
    return user.auth_provider.name or "", dict(user.auth_provider.config or {})


def _extension(cluster: ClusterEntry) -> Any:
    """What a plugin gets as ``spec.cluster.config``."""
    wanted = "client.authentication.k8s.io/exec"
    found = (item.extension for item in cluster.extensions or () if item.name == wanted)
    return next(found, None)


def _pem(text: str | None, what: str) -> bytes:
    """Decode base64, line breaks allowed. Raises KubeconfigError."""
    if not text:
        return b""
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KubeconfigError(
            f"{what} is not base64: {error}",
            "Write it again with `kubectl config set-cluster` or `set-credentials --embed-certs`.",
        ) from error
