"""Which logs are worth reading: those of failing containers, one pod per owner, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.snapshot.model import LogKey
from kubectl_wasmai.snapshot.workloads import workload_views

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot.model import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Pod

MAX_WORKLOADS = 25
"""Forty failing replicas fail for one reason, forty failing workloads mostly too."""


def log_targets(snapshot: ClusterSnapshot) -> tuple[LogKey, ...]:
    """Logs of containers that run unready, crashed or completed unexpectedly."""
    targets: list[LogKey] = []
    workloads = 0
    for view in workload_views(snapshot):
        keys = next((keys for pod in view.pods if (keys := _of_pod(pod))), [])
        workloads += bool(keys)
        if workloads > MAX_WORKLOADS:
            break
        targets.extend(keys)
    return tuple(targets)


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
