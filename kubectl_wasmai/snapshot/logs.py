"""The logs worth reading: those of failing containers, one pod of each workload, bounded.

Besides, those of device plugins on nodes that offer fewer GPUs than they should: a plugin that
found none waits for ever, and looks well. And what programs of interest that are well said first:
an engine tells then that it interprets its module, and fails nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_wasmai import gpu
from kubectl_wasmai.errors import ApiError, Forbidden
from kubectl_wasmai.snapshot.model import Denied, LogKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from kubectl_wasmai.cluster import Cluster
    from kubectl_wasmai.snapshot.model import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Node, Pod
    from kubectl_wasmai.snapshot.workloads import WorkloadView

Wanted = Callable[["ClusterSnapshot", "WorkloadView"], bool]
"""Whether somebody is interested in a workload."""

MAX_WORKLOADS = 25
"""Forty failing replicas fail for one reason, forty failing workloads mostly too."""
MAX_BYTES = 64 * 1024
MAX_STARTS = 10
START_BYTES = 2048
MAX_LINES = (200, 50, 10)
"""The API server cuts what is too long at its end, which says most: then fewer lines are read."""


@dataclass(frozen=True)
class Logs:
    """``unread`` are workloads of interest whose logs were one too many."""

    texts: dict[LogKey, str]
    denied: tuple[Denied, ...]
    unread: tuple[str, ...]


def read_logs(
    cluster: Cluster, snapshot: ClusterSnapshot, pool: Executor, wanted: Wanted | None
) -> Logs:
    """Those of workloads that are wanted first; without ``wanted`` all are."""
    found = failing(snapshot)
    ours = [view for view in found if wanted is None or wanted(snapshot, view)]
    chosen = [*ours, *(view for view in found if view not in set(ours))][:MAX_WORKLOADS]
    keys = [key for view in chosen for key in found[view]]
    starts = _starts(snapshot, found, wanted) if wanted else []
    answers = [
        *pool.map(lambda key: _read(cluster, key, MAX_LINES, MAX_BYTES), keys),
        *pool.map(lambda key: _read(cluster, key, (None,), START_BYTES), starts),
    ]
    keys += starts
    denied = {answer for answer in answers if isinstance(answer, Denied)}
    return Logs(
        {key: text for key, text in zip(keys, answers, strict=True) if isinstance(text, str)},
        tuple(sorted(denied, key=lambda each: each.namespace)),
        tuple(str(view.subject) for view in ours[MAX_WORKLOADS:]),
    )


def failing(snapshot: ClusterSnapshot) -> dict[WorkloadView, list[LogKey]]:
    """Workloads with containers that run unready, crashed or completed unexpectedly."""
    lacking = {node.name for node in snapshot.nodes if _lacks_gpus(node)}
    found: dict[WorkloadView, list[LogKey]] = {}
    for view in snapshot.views:
        keys = next((keys for pod in view.pods if (keys := _of_pod(pod))), [])
        keys = keys or _of_plugin(view, lacking)
        if keys:
            found[view] = keys
    return found


def _starts(
    snapshot: ClusterSnapshot, failing_: Mapping[WorkloadView, object], wanted: Wanted
) -> list[LogKey]:
    """One ready pod of each workload that names a RuntimeClass."""
    pods: list[Pod] = []
    for view in snapshot.views:
        named = view.spec.runtime_class_name and view not in failing_
        pod = next((each for each in view.pods if _is_ready(each)), None) if named else None
        if pod is not None and len(pods) < MAX_STARTS and wanted(snapshot, view):
            pods.append(pod)
    return [
        LogKey(pod.namespace, pod.name, each.name)
        for pod in pods
        for each in pod.status.container_statuses or ()
    ]


def _is_ready(pod: Pod) -> bool:
    statuses = pod.status.container_statuses or ()
    return bool(statuses) and all(each.ready for each in statuses)


def _read(
    cluster: Cluster, key: LogKey, tries: Sequence[int | None], limit: int
) -> str | Denied | None:
    """With as many last lines, or ``None`` from its beginning, as the limit of bytes does not cut.

    ``None`` where there is no log (yet, or no longer): that is an ordinary answer.
    """
    text = ""
    try:
        for lines in tries:
            text = cluster.logs(
                key.namespace,
                key.pod,
                key.container,
                previous=key.previous,
                tail_lines=lines,
                limit_bytes=limit,
            )
            if len(text.encode()) < limit:
                break
    except Forbidden:
        return Denied("get", "pods/log", key.namespace)
    except ApiError:
        return None
    return text


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
