"""Versions of Kubernetes and of container runtimes, as the API writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import Node

_NUMBER = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?")


class Version(NamedTuple):
    """``v1.34.4+k3s1`` is 1.34.4; what follows the numbers is no part of the order."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Runtime(NamedTuple):
    """``containerd://2.1.9-k3s1``: which container runtime, and which version if it says so."""

    name: str
    version: Version | None


def parse(text: str | None) -> Version | None:
    """``None`` for what does not begin like a version."""
    match = _NUMBER.match(text or "")
    return Version(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def runtime(node: Node) -> Runtime | None:
    """The node's container runtime; ``None`` where the node does not tell."""
    name, separator, version = (node.status.node_info.container_runtime_version or "").partition(
        "://"
    )
    return Runtime(name, parse(version)) if separator and name else None


def runs_k3s(snapshot: ClusterSnapshot) -> bool:
    """Whether the API server or a kubelet is K3s' or RKE2's."""
    kubelets = (node.status.node_info.kubelet_version for node in snapshot.nodes)
    return any(map(is_k3s, (snapshot.info.server_version, *kubelets)))


def is_k3s(version: str | None) -> bool:
    """K3s, and RKE2 which is built from it, mark their versions: ``v1.33.1+k3s1``."""
    return "+k3s" in (version or "") or "+rke2" in (version or "")
