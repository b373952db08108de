"""The connection pool, made by the ``kubernetes`` client library: TLS names, proxies, SOCKS.

The only module that always needs that library; ``legacy_auth`` needs it for one old provider.
Of the library only the modules named here are loaded: the package itself would bring models, the
dynamic client, streams and informers, which take 0.3 s and 16 MB and are not used.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubernetes.client.configuration import Configuration

    from kubectl_wasmai.cluster.target import Target

# The doctor asks from up to 8 threads; connections beyond this number are not kept.
POOL_SIZE = 16


class _Package(ModuleType):
    """A package whose own ``__init__`` runs when something is asked of it, not when one of its
    modules is imported."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if name.startswith("__") or spec is None or spec.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary one from now on
        spec.loader.exec_module(self)
        return getattr(self, name)


def _prepare_library() -> None:
    spec = None if "kubernetes" in sys.modules else importlib.util.find_spec("kubernetes")
    if spec is not None:
        package = _Package("kubernetes")
        package.__spec__, package.__path__ = spec, spec.submodule_search_locations or []
        sys.modules["kubernetes"] = package


def pool(target: Target) -> urllib3.PoolManager:
    """Connections that reach the target. Raises KubeconfigError for a bad proxy."""
    _prepare_library()
    from kubernetes.client.rest import RESTClientObject

    try:
        manager: urllib3.PoolManager = RESTClientObject(_configuration(target)).pool_manager
    except (ImportError, ValueError, urllib3.exceptions.HTTPError) as error:
        missing = isinstance(error, ImportError)
        raise KubeconfigError(
            f"cannot use the proxy {target.proxy_url or 'of the environment'}: {error}",
            "Install the Python package PySocks." if missing else "Check proxy-url.",
        ) from error
    return manager


def _configuration(target: Target) -> Configuration:
    from kubernetes.client.configuration import Configuration

    configuration = Configuration(host=target.server)
    configuration.retries = False
    configuration.connection_pool_maxsize = POOL_SIZE
    configuration.verify_ssl = not target.insecure
    if target.insecure:  # the user asked for it by name, and kubectl is silent too
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    configuration.tls_server_name = target.tls_server_name or None
    if target.proxy_url:
        # Go lets a SOCKS proxy resolve names; that is what the h says.
        configuration.proxy = target.proxy_url.replace("socks5://", "socks5h://", 1)
        configuration.no_proxy = ""  # what the kubeconfig says counts even for NO_PROXY hosts
    elif _is_loopback(target.server):
        configuration.proxy = None  # Go never asks a proxy for this machine
    return configuration


def _is_loopback(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
