"""The connection pool, made by the ``kubernetes`` client library: TLS names, proxies, SOCKS.

The only module that always needs that library; ``legacy_auth`` needs it for one old provider.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from kubernetes.client import ApiClient, Configuration

from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.target import Target

# The doctor asks from up to 8 threads; connections beyond this number are not kept.
POOL_SIZE = 16


def client(target: Target) -> ApiClient:
    """An ApiClient whose pool reaches the target. Raises KubeconfigError for a bad proxy."""
    try:
        return ApiClient(_configuration(target))
    except (ImportError, ValueError, urllib3.exceptions.HTTPError) as error:
        missing = isinstance(error, ImportError)
        raise KubeconfigError(
            f"cannot use the proxy {target.proxy_url or 'of the environment'}: {error}",
            "Install the Python package PySocks." if missing else "Check proxy-url.",
        ) from error


def _configuration(target: Target) -> Configuration:
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
