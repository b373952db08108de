"""The one door to a cluster: which one (as kubectl chooses), as whom, and what it answers.

Nothing is imported until it is used: ``cli.options`` needs ``ConnectionOptions`` for every
``--help`` and completion, and must not pay for the client library there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.applying import Applied
    from kubectl_wasmai.cluster.client import Cluster, connect
    from kubectl_wasmai.cluster.connection import ConnectionOptions
    from kubectl_wasmai.cluster.listing import ListResult
    from kubectl_wasmai.cluster.transport import RequestStats, Response
    from kubectl_wasmai.cluster.watching import WatchEvent

__all__ = [
    "Applied",
    "Cluster",
    "ConnectionOptions",
    "ListResult",
    "RequestStats",
    "Response",
    "WatchEvent",
    "connect",
]

_HOMES = {
    "Applied": "applying",
    "Cluster": "client",
    "ConnectionOptions": "connection",
    "ListResult": "listing",
    "RequestStats": "transport",
    "Response": "transport",
    "WatchEvent": "watching",
    "connect": "client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
