"""Following a rollout until it is complete, hopeless, or out of time.

One thread, list and watch: each round reads the Deployment, its ReplicaSets and pods and the
events of pods that are not ready, then watches the pods from exactly that list for at most a
second. A change of a pod ends the watch at once, so readiness is seen when it happens; what no
watch on pods shows (a ReplicaSet that cannot create any) is seen a second later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.events import Event, parse_events
from kubectl_wasmai.deploy.manifests import selector
from kubectl_wasmai.deploy.rollout import Progress, assess, new_replica_set, owned_pods
from kubectl_wasmai.deploy.stages import Stage, is_ready
from kubectl_wasmai.deploy.timeline import Timeline, timeline
from kubectl_wasmai.errors import ApiError, ClusterUnreachable, Forbidden, NotFound, Unauthorized
from kubectl_wasmai.resources import DEPLOYMENT, EVENT, POD, REPLICA_SET, Resource

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster

_WEEK_SECONDS = 7 * 86400.0
_ROUND_SECONDS = 1
_SETTLE_SECONDS = 0.1
"""All pods are ready and only the Deployment's status has to follow: no pod will change again."""
_EVENT_READS = 5
"""Pods whose events are read in one round. More stuck pods have the same trouble."""
TIMELINE_PODS = 10

Pod = Mapping[str, Any]


@dataclass
class Arrivals:
    """When this client saw each pod become ready, by uid; pods ready from the start are absent."""

    first_look: bool = True
    old: set[str] = field(default_factory=set)
    ready_at: dict[str, float] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)

    def note(self, pod: Pod) -> None:
        uid = str(pod["metadata"]["uid"])
        if not is_ready(pod) or uid in self.old:
            return
        if self.first_look:
            self.old.add(uid)
            return
        self.ready_at.setdefault(uid, time.time())
        self.pods[uid] = pod

    def started(self, progress: Progress) -> list[Pod]:
        """Pods of the finished rollout that became ready under our eyes."""
        return [self.pods[pod.uid] for pod in progress.pods if pod.uid in self.ready_at]


@dataclass(frozen=True)
class Outcome:
    """How the wait ended: ``progress.done``, or hopeless, or otherwise out of time."""

    progress: Progress
    arrivals: Arrivals
    seconds: float


@dataclass
class Follower:
    """One Deployment being waited for. ``seen`` is told of every look, for a live display."""

    cluster: Cluster
    namespace: str
    name: str
    class_seen: bool = True
    seen: Callable[[Progress], None] = lambda _progress: None
    arrivals: Arrivals = field(default_factory=Arrivals)
    _pods_version: str = ""
    _unreadable: set[Resource] = field(default_factory=set)

    def wait(self, timeout: float) -> Outcome:
        """As ``kubectl wait``: 0 looks once, a negative ``timeout`` waits for a week (seconds)."""
        started = time.monotonic()
        deadline = started + (_WEEK_SECONDS if timeout < 0 else timeout)
        while True:
            progress = self._look_patiently(deadline)
            self.seen(progress)
            now = time.monotonic()
            if progress.done or progress.hopeless or now >= deadline:
                return Outcome(progress, self.arrivals, now - started)
            self._pause(progress, deadline - now)

    def _look_patiently(self, deadline: float) -> Progress:
        """A control plane that restarts under our feet is no reason to give up before time."""
        while True:
            try:
                return self.look()
            except (NotFound, Forbidden, Unauthorized):
                raise
            except (ClusterUnreachable, ApiError):
                if time.monotonic() + _ROUND_SECONDS >= deadline:
                    raise
                time.sleep(_ROUND_SECONDS)

    def look(self) -> Progress:
        """Read everything once and assess it."""
        deployment = self.cluster.get(DEPLOYMENT, self.name, self.namespace)
        replica_sets = self._list(REPLICA_SET)
        pods = self._list(POD)
        replica_set = new_replica_set(deployment, replica_sets)
        current = owned_pods(pods, replica_set)
        for pod in current:
            self.arrivals.note(pod)
        self.arrivals.first_look = False
        stuck = [pod for pod in current if not is_ready(pod)][:_EVENT_READS]
        events: list[Event] = []
        for subject in [*stuck, *([replica_set] if replica_set and not current else [])]:
            events += self.events_of(subject)
        return assess(deployment, replica_sets, pods, events, class_seen=self.class_seen)

    def events_of(self, subject: Pod) -> list[Event]:
        """Events about one object, oldest first; none where events may not be read."""
        uid = subject["metadata"]["uid"]
        return parse_events(self._list(EVENT, f"involvedObject.uid={uid}"))

    def timelines(self, progress: Progress) -> list[Timeline]:
        """Start-up of the pods seen to become ready; of the first few when there are many."""
        lines = []
        owners: dict[str, list[Event]] = {}
        for pod in self.arrivals.started(progress)[:TIMELINE_PODS]:
            uid = pod["metadata"]["uid"]
            owner = next(iter(pod["metadata"].get("ownerReferences") or []), {"uid": ""})["uid"]
            if owner not in owners:
                owners[owner] = self.events_of({"metadata": {"uid": owner}})
            ready_at = self.arrivals.ready_at[uid]
            lines.append(timeline(pod, self.events_of(pod), owners[owner], ready_at))
        return lines

    def _list(self, resource: Resource, field_selector: str = "") -> list[dict[str, Any]]:
        if resource in self._unreadable:
            return []
        labels = (
            ""
            if field_selector
            else ",".join(f"{key}={value}" for key, value in selector(self.name).items())
        )
        try:
            listed = self.cluster.list(
                resource,
                dict[str, Any],
                self.namespace,
                label_selector=labels,
                field_selector=field_selector,
            )
        except Forbidden:
            self._unreadable.add(resource)
            return []
        if resource is POD:
            self._pods_version = listed.resource_version
        return list(listed.items)

    def _pause(self, progress: Progress, left: float) -> None:
        """Until a pod changes, but at most a round."""
        if POD in self._unreadable:
            time.sleep(min(_ROUND_SECONDS, left))
            return
        if progress.pods and all(pod.stage is Stage.READY for pod in progress.pods):
            time.sleep(min(_SETTLE_SECONDS, left))
            return
        labels = ",".join(f"{key}={value}" for key, value in selector(self.name).items())
        started = time.monotonic()
        try:
            changes = self.cluster.watch(
                POD,
                self.namespace,
                label_selector=labels,
                resource_version=self._pods_version,
                timeout=min(_ROUND_SECONDS, left),
            )
            for change in changes:
                if change.type != "DELETED":
                    self.arrivals.note(change.object)
                return
        except (ApiError, ClusterUnreachable):
            # Not allowed to watch, or the version is too old: the next round lists again.
            time.sleep(max(0.0, min(_ROUND_SECONDS, left) - (time.monotonic() - started)))
