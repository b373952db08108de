"""From a transport exception to one sentence: what was tried, what happened, what to do next."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3.exceptions as http

from kubectl_wasmai.errors import ClusterUnreachable

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.target import Target

# OpenSSL's X509_V_ERR_*: the issuer is unknown in one way or another.
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})
_EXPIRED = 10
_TIMEOUTS = (TimeoutError, http.TimeoutError)  # NewConnectionError is one by inheritance only
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")


def explain(error: BaseException, target: Target, seconds: float | None) -> ClusterUnreachable:
    """The error a person sees. ``seconds`` is the timeout that was in force."""
    for cause in _causes(error):
        known = _known(cause, target, seconds)
        if known is not None:
            return ClusterUnreachable(*known)
    if isinstance(error, (http.ProtocolError, http.DecodeError)):
        return ClusterUnreachable(
            f"{target.place} closed the connection before its answer was whole "
            f"({_last_words(error)})",
            "Try again; if it stays, look at the API server and at proxies before it.",
        )
    return ClusterUnreachable(
        f"cannot reach {target.place}: {_last_words(error)}",
        "Check network, VPN and the server's URL.",
    )


def _known(cause: BaseException, target: Target, seconds: float | None) -> tuple[str, str] | None:
    """Message and hint for one link of the chain, when it says enough by itself."""
    place = target.place
    if isinstance(cause, http.ProxyError):
        proxy = target.proxy_url or "the proxy of the environment"
        return (
            f"cannot reach {place} through {proxy}: {_last_words(cause)}",
            "Check proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY.",
        )
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, target)
    if isinstance(cause, (socket.gaierror, http.NameResolutionError)):
        host = urlsplit(target.proxy_url or target.server).hostname
        return (
            f"cannot reach {place}: no such host {host}",
            "Check the server's name, your DNS and your VPN.",
        )
    if isinstance(cause, _TIMEOUTS) and not isinstance(cause, http.NewConnectionError):
        limit = f"within {seconds:g} s" if seconds else "in time"
        return (
            f"no answer from {place} {limit}",
            "Check VPN and firewall, or allow more time with --request-timeout.",
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"the connection to {place} was refused",
            "Did you specify the right host or port, and is the API server running?",
        )
    return None


def _tls(error: ssl.SSLError, target: Target) -> tuple[str, str]:
    code = getattr(error, "verify_code", 0)
    words = getattr(error, "verify_message", "") or error.reason or str(error)
    if code in _UNKNOWN_ISSUER:
        own = target.ca_file or "the kubeconfig's certificate-authority-data"
        trusted = own if target.ca_file or target.ca_data else "this system's authorities"
        return (
            f"{target.place} shows a certificate signed by an unknown authority ({words})",
            f"Checked against {trusted}: get a fresh kubeconfig, or pass --certificate-authority.",
        )
    if code in _WRONG_NAME:
        return (
            f"{target.place} shows a certificate for another name: {words.rstrip('.')}",
            "Use a name the certificate holds, or say which with --tls-server-name.",
        )
    if code == _EXPIRED:
        return (
            f"the certificate of {target.place} has expired",
            "Check this machine's clock; else the cluster's certificates must be renewed.",
        )
    if any(mark in str(error).upper().replace(" ", "_") for mark in _NOT_TLS):
        return (
            f"{target.place} does not speak TLS",
            "Is it a plain http server, or the wrong port? Then write http://HOST:PORT.",
        )
    return (
        f"no TLS connection to {target.place}: {words}",
        "Check the client certificate, and that the port is the API server's.",
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all it was raised from, outermost first; urllib3 hides some in ``args``."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _last_words(error: BaseException) -> str:
    """The innermost message: the outer ones only wrap it."""
    texts = [str(cause) for cause in _causes(error) if str(cause)]
    return min(texts, key=len) if texts else type(error).__name__
