"""Taking away what deploy made, and nothing that it did not make."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.manifests import selector
from kubectl_wasmai.deploy.ownership import read_ours
from kubectl_wasmai.deploy.text import clean, duration
from kubectl_wasmai.errors import Forbidden, NotFound, WasmaiError
from kubectl_wasmai.resources import DEPLOYMENT, POD, SERVICE, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.cluster import Cluster

_POLL_SECONDS = 0.5

_ORDER = (SERVICE, DEPLOYMENT)
"""The Service first, so that nothing is sent to pods that are about to end."""


def find(cluster: Cluster, name: str, namespace: str) -> list[Resource]:
    """What there is to delete. Raises when an object of this name belongs to somebody else."""
    found = read_ours(cluster, name, namespace)
    return [resource for resource in _ORDER if resource in found]


def remove(
    cluster: Cluster, found: list[Resource], name: str, namespace: str, *, dry_run: str = "none"
) -> Iterator[Resource]:
    """Delete them one by one; what somebody else deleted meanwhile is passed over."""
    for resource in found:
        if dry_run != "client":
            try:
                cluster.delete(
                    resource,
                    name,
                    namespace,
                    dry_run="server" if dry_run == "server" else "none",
                    propagation="Background",
                )
            except NotFound:
                continue
        yield resource


def wait_gone(cluster: Cluster, name: str, namespace: str, timeout: float) -> None:
    """Until no pod of it is left. ``timeout`` in seconds. Raises when some remain."""
    deadline = time.monotonic() + timeout
    labels = ",".join(f"{key}={value}" for key, value in selector(name).items())
    while True:
        try:
            pods = cluster.list(POD, dict[str, Any], namespace, label_selector=labels).items
        except Forbidden:
            return  # who may not look at pods cannot wait for them
        if not pods:
            return
        if time.monotonic() >= deadline:
            left = ", ".join(clean(str(pod["metadata"]["name"])) for pod in pods)
            raise WasmaiError(
                f"deleted, but after {duration(timeout)} these pods are still ending: {left}",
                hint=f"kubectl get pods -n {namespace} -l {labels}",
            )
        time.sleep(_POLL_SECONDS)
