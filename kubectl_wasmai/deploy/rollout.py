"""Whether a Deployment has arrived at what was applied, and what holds it up. Pure.

The condition for success is that of ``kubectl rollout status``: the controller has seen this
generation, all replicas are of the new ReplicaSet, none of the old are left, all are available.
Ready pods of an old ReplicaSet are no success.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.stages import PodView, Stage, condition, view
from kubectl_wasmai.deploy.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.deploy.events import Event

REVISION = "deployment.kubernetes.io/revision"

_CREATE_REFUSED = re.compile(
    r"violates PodSecurity|conflict: runtimeClass|usage per (?:Container|Pod) is"
    r"|limit to request ratio per"
)
"""Refusals of admission that the same pod meets again. Quota is not one: it can become free."""

_CLASS_MISSING = re.compile(r"RuntimeClass \"[^\"]*\" not found")
"""Certain only where the class was never seen: otherwise it is an old message, from before the
class was created, that stands until the ReplicaSet's next attempt."""


@dataclass(frozen=True)
class Progress:
    """One look at a rollout. ``hopeless`` says why waiting longer cannot help, or is empty."""

    done: bool
    ready: int
    desired: int
    waiting_for: str
    pods: tuple[PodView, ...] = ()
    hopeless: str = ""

    @property
    def lines(self) -> list[str]:
        """What holds it up: one line for each pod that is not ready, or for why there is none."""
        stuck = [pod for pod in self.pods if pod.stage is not Stage.READY]
        return [pod_line(pod) for pod in stuck] or [self.waiting_for]


def pod_line(pod: PodView) -> str:
    """``web-5d…: pulling image: Back-off …``."""
    restarts = f" ({pod.restarts} restarts)" if pod.restarts > 1 else ""
    return f"{clean(pod.name)}: {pod.stage.value}{restarts}" + (
        f": {pod.reason}" if pod.reason else ""
    )


def new_replica_set(
    deployment: Mapping[str, Any], replica_sets: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The ReplicaSet of the current revision; ``None`` while there is none, or none readable."""
    uid = deployment["metadata"].get("uid")
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    for replica_set in replica_sets:
        metadata = replica_set["metadata"]
        owned = any(owner.get("uid") == uid for owner in metadata.get("ownerReferences") or [])
        if owned and (metadata.get("annotations") or {}).get(REVISION) == revision:
            return replica_set
    return None


def owned_pods(
    pods: Sequence[Mapping[str, Any]], replica_set: Mapping[str, Any] | None
) -> list[Mapping[str, Any]]:
    """Pods of this ReplicaSet that are not on their way out; all pods when it is not known."""
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    if replica_set is None:
        return alive
    uid = replica_set["metadata"].get("uid")
    return [
        pod
        for pod in alive
        if any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences") or [])
    ]


def assess(
    deployment: Mapping[str, Any],
    replica_sets: Sequence[Mapping[str, Any]],
    pods: Sequence[Mapping[str, Any]],
    events: Sequence[Event] = (),
    *,
    class_seen: bool = True,
) -> Progress:
    """Look at everything once. ``class_seen``: the RuntimeClass is known to exist."""
    replica_set = new_replica_set(deployment, replica_sets)
    views = tuple(view(pod, events) for pod in owned_pods(pods, replica_set))
    waiting_for = _unfinished(deployment)
    desired = int(deployment["spec"].get("replicas", 1))
    ready = sum(pod.stage is Stage.READY for pod in views)
    if waiting_for and not views and desired and _observed(deployment):
        waiting_for = _no_pod(deployment, replica_set, events) or waiting_for
    return Progress(
        done=not waiting_for,
        ready=ready,
        desired=desired,
        waiting_for=waiting_for,
        pods=views,
        hopeless=_hopeless(views, waiting_for, class_seen=class_seen) if waiting_for else "",
    )


def _observed(deployment: Mapping[str, Any]) -> bool:
    seen = (deployment.get("status") or {}).get("observedGeneration")
    return int(seen or 0) >= int(deployment["metadata"].get("generation") or 0)


def _unfinished(deployment: Mapping[str, Any]) -> str:
    """By kubectl's rollout condition, what is still missing, or '' when complete."""
    status = deployment.get("status") or {}
    if not _observed(deployment):
        return "the Deployment controller has not seen this change yet"
    desired = int(deployment["spec"].get("replicas", 1))
    updated, total = int(status.get("updatedReplicas") or 0), int(status.get("replicas") or 0)
    available = int(status.get("availableReplicas") or 0)
    if updated < desired:
        return f"{updated} of {desired} new pods exist"
    if total > updated:
        return f"{total - updated} old pods are still there"
    if available < updated:
        return f"{available} of {updated} pods are available"
    return ""


def _no_pod(
    deployment: Mapping[str, Any],
    replica_set: Mapping[str, Any] | None,
    events: Sequence[Event],
) -> str:
    failure = condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        return f"no pod could be created: {clean(str(failure.get('message', '')))}"
    uid = (replica_set or {"metadata": {}})["metadata"].get("uid")
    for event in reversed(events):
        if uid and event.uid == uid and event.reason == "FailedCreate":
            return f"no pod could be created: {clean(event.message)}"
    return ""


def _hopeless(views: Sequence[PodView], waiting_for: str, *, class_seen: bool) -> str:
    for pod in views:
        if pod.final:
            return pod_line(pod)
    refused = _CREATE_REFUSED.search(waiting_for)
    missing = not class_seen and _CLASS_MISSING.search(waiting_for)
    return waiting_for if refused or missing else ""
