"""What was seen of a cluster at one moment. Read-only; nothing here performs I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, cast

import msgspec

from kubectl_wasmai.snapshot.events import Events, Key, indexed
from kubectl_wasmai.snapshot.objects import (
    TYPES,
    CronJob,
    DeviceClass,
    Event,
    Node,
    Object,
    PersistentVolumeClaim,
    Pod,
    ResourceClaim,
    ResourceClaimTemplate,
    ResourceSlice,
    RuntimeClass,
    Service,
    StorageClass,
    Workload,
)
from kubectl_wasmai.snapshot.objects.meta import Time  # noqa: TC001 - msgspec resolves it
from kubectl_wasmai.snapshot.workloads import WorkloadView, workload_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Collection as Many

T = TypeVar("T", bound=Object)
E = TypeVar("E")


class Denied(msgspec.Struct, frozen=True):
    """A right that was missing while collecting. ``namespace`` is empty for cluster scope."""

    verb: str
    resource: str
    namespace: str = ""


class Unreadable(msgspec.Struct, frozen=True):
    """An object (``Pod shop/web-1``) or file that was seen and could not be understood, or only
    without the fields that the reason names."""

    object: str
    reason: str

    @property
    def kind(self) -> str:
        return self.object.partition(" ")[0]


class Collection(msgspec.Struct, frozen=True):
    """What it took to collect, and what could not be had. Seconds; bytes as decompressed.

    ``missing`` kinds were not collected; ``unserved`` ones the server does not have, so there
    are none of them. ``logs_not_read`` are failing workloads of interest beyond the number of
    those whose logs are read.
    """

    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    denied: tuple[Denied, ...] = ()
    missing: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    unserved: tuple[str, ...] = ()
    logs_not_read: tuple[str, ...] = msgspec.field(default=(), name="logsNotRead")


class SnapshotInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Where and when a snapshot was taken. ``namespace`` is empty for all namespaces."""

    context: str = ""
    namespace: str = ""
    server_version: str = ""
    taken_at: Time = datetime.fromtimestamp(0, tz=timezone.utc)
    collection: Collection = Collection()


class LogKey(NamedTuple):
    """Names one container's log; ``previous`` is the instance before the last restart."""

    namespace: str
    pod: str
    container: str
    previous: bool = False


class MetricsKey(NamedTuple):
    """Names the pod that told its metrics."""

    namespace: str
    pod: str


@dataclass(frozen=True)
class ClusterSnapshot:
    """Objects by kind, logs, metrics, and where they come from.

    ``metrics`` are what exporters said, in Prometheus' text format.

    A kind that is no key of ``objects`` was not collected: it is *missing*, not *absent*, and
    whoever needs it must answer "unknown".
    """

    info: SnapshotInfo
    source: Literal["live", "file"]
    objects: Mapping[str, Many[Object]]
    logs: Mapping[LogKey, str] = field(default_factory=dict)
    metrics: Mapping[MetricsKey, str] = field(default_factory=dict)

    def completed(
        self,
        info: SnapshotInfo,
        logs: Mapping[LogKey, str],
        metrics: Mapping[MetricsKey, str],
    ) -> ClusterSnapshot:
        """The same objects, with logs and metrics; what was worked out of the objects is not
        worked out again."""
        other = replace(self, info=info, logs=logs, metrics=metrics)
        vars(other).update({**vars(self), **vars(other)})
        return other

    def keep_views(self, views: tuple[WorkloadView, ...]) -> None:
        """Takes these for what would be worked out of the objects: ``views``, in its order."""
        vars(self)["views"] = views

    def has(self, kind: str) -> bool:
        return kind in self.objects

    @property
    def missing(self) -> tuple[str, ...]:
        """Kinds that were not collected, in the order of the vocabulary."""
        return tuple(kind for kind in TYPES if kind not in self.objects)

    def of(self, kind: str, type: type[T]) -> tuple[T, ...]:  # noqa: A002 - reads as the noun
        """All objects of one kind; empty where the kind is missing."""
        return cast("tuple[T, ...]", tuple(self.objects.get(kind, ())))

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        return self.of("Pod", Pod)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return self.of("Node", Node)

    @cached_property
    def runtime_classes(self) -> dict[str, RuntimeClass]:
        return {each.name: each for each in self.of("RuntimeClass", RuntimeClass)}

    @cached_property
    def services(self) -> tuple[Service, ...]:
        return self.of("Service", Service)

    @cached_property
    def storage_classes(self) -> tuple[StorageClass, ...]:
        return self.of("StorageClass", StorageClass)

    @cached_property
    def claims(self) -> tuple[PersistentVolumeClaim, ...]:
        return self.of("PersistentVolumeClaim", PersistentVolumeClaim)

    @cached_property
    def resource_slices(self) -> tuple[ResourceSlice, ...]:
        return self.of("ResourceSlice", ResourceSlice)

    @cached_property
    def device_classes(self) -> dict[str, DeviceClass]:
        return {each.name: each for each in self.of("DeviceClass", DeviceClass)}

    @cached_property
    def resource_claims(self) -> dict[tuple[str, str], ResourceClaim]:
        """By namespace and name."""
        claims = self.of("ResourceClaim", ResourceClaim)
        return {(each.namespace, each.name): each for each in claims}

    @cached_property
    def claim_templates(self) -> dict[tuple[str, str], ResourceClaimTemplate]:
        """By namespace and name."""
        templates = self.of("ResourceClaimTemplate", ResourceClaimTemplate)
        return {(each.namespace, each.name): each for each in templates}

    @cached_property
    def views(self) -> tuple[WorkloadView, ...]:
        """Every outermost workload and every bare pod, by namespace, kind and name."""
        return workload_views(self)

    @cached_property
    def cron_jobs(self) -> dict[tuple[str, str], CronJob]:
        """By namespace and name."""
        return {(each.namespace, each.name): each for each in self.of("CronJob", CronJob)}

    @cached_property
    def pods_by_node(self) -> dict[str, tuple[Pod, ...]]:
        """Pods that have been placed, by the name of their node."""
        placed = (pod for pod in self.pods if pod.spec.node_name)
        return _grouped(placed, lambda pod: pod.spec.node_name or "")

    def views_in(self, namespace: str) -> tuple[WorkloadView, ...]:
        return self._views_in.get(namespace, ())

    def services_in(self, namespace: str) -> tuple[Service, ...]:
        return self._services_in.get(namespace, ())

    @cached_property
    def _views_in(self) -> dict[str, tuple[WorkloadView, ...]]:
        return _grouped(self.views, lambda view: view.subject.namespace)

    @cached_property
    def _services_in(self) -> dict[str, tuple[Service, ...]]:
        return _grouped(self.services, lambda service: service.namespace)

    def workload(self, kind: str, namespace: str, name: str) -> Workload | None:
        return self._workloads.get((kind, namespace, name))

    def events_of(self, kind: str, namespace: str, name: str) -> tuple[Event, ...]:
        """Events about one object, oldest first."""
        key = Key(kind, namespace, name)
        found = self._events_found.get(key)
        if found is None:
            found = self._events_found[key] = self._events.of(key)
        return found

    @cached_property
    def _workloads(self) -> dict[tuple[str, str, str], Workload]:
        kinds = [kind for kind, type_ in TYPES.items() if type_ is Workload]
        return {
            (kind, each.namespace, each.name): each
            for kind in kinds
            for each in self.of(kind, Workload)
        }

    @cached_property
    def _events(self) -> Events:
        return indexed(cast("Many[Event]", self.objects.get("Event", ())))

    @cached_property
    def _events_found(self) -> dict[Key, tuple[Event, ...]]:
        """What was asked for before: many checks ask about the same objects."""
        return {}


def _grouped(items: Iterable[E], key: Callable[[E], str]) -> dict[str, tuple[E, ...]]:
    """Each group in the order of the items."""
    found: dict[str, list[E]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return {name: tuple(group) for name, group in found.items()}
