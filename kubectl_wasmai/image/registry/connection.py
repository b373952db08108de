"""The connection to a registry: TLS, plain HTTP where that is allowed, proxies, timeouts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.reference import DOCKER_HUB

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CERTIFICATES = (Path("/etc/docker/certs.d"), Path("/etc/containers/certs.d"))
"""Folders with a folder for each registry, of authorities (``*.crt``) to trust for it."""


@dataclass(frozen=True)
class RegistryOptions:
    """What a user may say about a registry."""

    plain_http: bool = False
    certificate_authority: Path | None = None
    insecure_skip_tls_verify: bool = False


def address(registry: str) -> str:
    """The host that answers for a registry."""
    return "registry-1.docker.io" if registry == DOCKER_HUB else registry


def is_loopback(registry: str) -> bool:
    """Whether it is this machine: there plain HTTP does no harm."""
    host = urlsplit(f"//{registry}").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def open_pool(registry: str, options: RegistryOptions) -> urllib3.PoolManager:
    """A pool of connections. Raises RegistryError for certificates that cannot be read."""
    settings: dict[str, object] = {
        "ssl_context": _context(registry, options),
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        # Redirects lead to a store of blobs; urllib3 keeps credentials from other hosts.
        "retries": urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5),
        "headers": {"User-Agent": "kubectl-wasmai"},
    }
    scheme = "http" if options.plain_http else "https"
    host = urlsplit(f"//{registry}").hostname or registry
    proxy = getproxies().get(scheme)
    if proxy and not proxy_bypass(host) and not is_loopback(registry):
        return urllib3.ProxyManager(proxy, **settings)  # type: ignore[arg-type]
    return urllib3.PoolManager(**settings)  # type: ignore[arg-type]


def _context(registry: str, options: RegistryOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if options.insecure_skip_tls_verify:
        # Asked for by its own name: a warning in the library's words helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.certificate_authority:
        _trust(context, options.certificate_authority)
    for folder in CERTIFICATES:
        for certificate in sorted((folder / registry).glob("*.crt")):
            _trust(context, certificate)
    return context


def _trust(context: ssl.SSLContext, certificate: Path) -> None:
    try:
        context.load_verify_locations(certificate)
    except (OSError, ssl.SSLError) as error:
        raise RegistryError(
            f"cannot read the certificate authority {certificate}: {error}",
            "give a file in PEM form",
        ) from error
