"""Whether a pod or container is well now, whatever happened to it before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot.objects import Condition, ContainerStatus, Pod


def condition(pod: Pod, type_: str) -> Condition | None:
    for each in pod.status.conditions or ():
        if each.type == type_:
            return each
    return None


def is_ready(pod: Pod) -> bool:
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def is_finished(pod: Pod) -> bool:
    """Ran to its end and was meant to: pods of completed Jobs are no fault."""
    return pod.status.phase == "Succeeded"


def is_leaving(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None


def is_well(pod: Pod) -> bool:
    """Ready, finished, or on its way out: old events and restarts of such pods mean nothing."""
    return is_ready(pod) or is_finished(pod) or is_leaving(pod)


def container_statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    """Init containers first, as they run."""
    return (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
