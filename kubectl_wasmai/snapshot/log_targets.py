"""Which logs are worth reading: those of failing containers, one pod per owner, bounded.

Besides, those of device plugins on nodes that offer fewer GPUs than they should: a plugin that
found none waits for ever, and looks well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai import gpu
from kubectl_wasmai.snapshot.model import LogKey

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot.model import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Node, Pod
    from kubectl_wasmai.snapshot.workloads import WorkloadView

MAX_WORKLOADS = 25
"""Forty failing replicas fail for one reason, forty failing workloads mostly too."""


def log_targets(snapshot: ClusterSnapshot) -> tuple[LogKey, ...]:
    """Logs of containers that run unready, crashed or completed unexpectedly."""
    lacking = {node.name for node in snapshot.nodes if _lacks_gpus(node)}
    targets: list[LogKey] = []
    workloads = 0
    for view in snapshot.views:
        keys = next((keys for pod in view.pods if (keys := _of_pod(pod))), [])
        keys = keys or _of_plugin(view, lacking)
        workloads += bool(keys)
        if workloads > MAX_WORKLOADS:
            break
        targets.extend(keys)
    return tuple(targets)


def _lacks_gpus(node: Node) -> bool:
    offers = gpu.offers(node)
    return any(free < total for total, free in offers.values()) or not any(
        free for _, free in offers.values()
    )


def _of_plugin(view: WorkloadView, lacking: set[str]) -> list[LogKey]:
    if gpu.role(view) != gpu.PLUGIN:
        return []
    pod = next((each for each in view.pods if each.spec.node_name in lacking), None)
    statuses = (pod.status.container_statuses if pod else None) or ()
    return [LogKey(pod.namespace, pod.name, each.name) for each in statuses] if pod else []


def _of_pod(pod: Pod) -> list[LogKey]:
    if pod.status.phase == "Succeeded":
        return []
    statuses = [*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())]
    return [
        LogKey(pod.namespace, pod.name, status.name, previous)
        for status in statuses
        if not status.ready
        for previous in _instances(status)
    ]


def _instances(status: ContainerStatus) -> list[bool]:
    """Which instances of the container ever ran: the present one, the previous one.

    While a container waits in back-off, "the present log" is that of its last instance.
    """
    ran = status.state.running or status.state.terminated or status.restart_count
    return (
        [False, *([True] if status.restart_count and status.state.running else [])] if ran else []
    )
