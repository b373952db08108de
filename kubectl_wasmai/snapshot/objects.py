"""Kubernetes objects, reduced to the fields that some check reads.

Every field has a default: the API omits empty ones, and a snapshot may hold objects that were
cut by hand. Adding a field here is enough to have it collected, saved and replayed.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec resolves annotations at run time

import msgspec


class _Base(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Camel-case on the wire, unknown fields ignored, immutable."""


class OwnerReference(_Base):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(_Base):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None


class Object(_Base):
    """What all kinds share. ``kind`` is absent inside Lists of one kind; the loader fills it."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels or {}

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations or {}


class Condition(_Base):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


class KeyRef(_Base):
    name: str | None = None
    key: str | None = None
    optional: bool | None = None


class EnvVarSource(_Base):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(_Base):
    name: str = ""
    value: str | None = None
    value_from: EnvVarSource | None = None


class ContainerPort(_Base):
    container_port: int = 0
    name: str | None = None
    protocol: str | None = None


class HTTPGetAction(_Base):
    path: str | None = None
    port: int | str = 0


class TCPSocketAction(_Base):
    port: int | str = 0


class ExecAction(_Base):
    command: list[str] | None = None


class Probe(_Base):
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    timeout_seconds: int | None = None
    failure_threshold: int | None = None


class ResourceRequirements(_Base):
    requests: dict[str, str | int | float] | None = None
    limits: dict[str, str | int | float] | None = None


class VolumeMount(_Base):
    name: str = ""
    mount_path: str = ""


class Container(_Base):
    name: str = ""
    image: str = ""
    image_pull_policy: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    ports: list[ContainerPort] | None = None
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: list[VolumeMount] | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None


class PodSpec(_Base):
    runtime_class_name: str | None = None
    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    restart_policy: str | None = None
    service_account_name: str | None = None
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None


class StateWaiting(_Base):
    reason: str | None = None
    message: str | None = None


class StateRunning(_Base):
    started_at: datetime | None = None


class StateTerminated(_Base):
    exit_code: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(_Base):
    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(_Base):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(_Base):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: datetime | None = None
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(Object):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(_Base):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class LabelSelector(_Base):
    match_labels: dict[str, str] | None = None


class WorkloadSpec(_Base):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None


class WorkloadStatus(_Base):
    """The counters of all controllers that make pods; each kind fills its own."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: list[Condition] | None = None


class Workload(Object):
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class JobTemplate(_Base):
    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(_Base):
    job_template: JobTemplate = JobTemplate()


class CronJob(Object):
    spec: CronJobSpec = CronJobSpec()


class Taint(_Base):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(_Base):
    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeInfo(_Base):
    architecture: str | None = None
    container_runtime_version: str | None = None
    kubelet_version: str | None = None
    os_image: str | None = None


class RuntimeHandler(_Base):
    name: str = ""


class NodeStatus(_Base):
    allocatable: dict[str, str | int | float] | None = None
    capacity: dict[str, str | int | float] | None = None
    conditions: list[Condition] | None = None
    node_info: NodeInfo = NodeInfo()
    runtime_handlers: list[RuntimeHandler] | None = None


class Node(Object):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class RuntimeClassScheduling(_Base):
    node_selector: dict[str, str] | None = None


class RuntimeClass(Object):
    handler: str = ""
    scheduling: RuntimeClassScheduling | None = None


class StorageClass(Object):
    provisioner: str = ""


class ClaimSpec(_Base):
    storage_class_name: str | None = None


class ClaimStatus(_Base):
    phase: str | None = None


class PersistentVolumeClaim(Object):
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class ServicePort(_Base):
    name: str | None = None
    port: int = 0
    target_port: int | str | None = None


class ServiceSpec(_Base):
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    type: str | None = None


class Service(Object):
    spec: ServiceSpec = ServiceSpec()


class ObjectReference(_Base):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    field_path: str | None = None


class EventSeries(_Base):
    count: int = 0
    last_observed_time: datetime | None = None


class Event(Object):
    involved_object: ObjectReference = ObjectReference()
    reason: str | None = None
    message: str | None = None
    type: str | None = None
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None

    @property
    def last_seen(self) -> datetime | None:
        """The latest of the times that different event writers fill."""
        series = self.series.last_observed_time if self.series else None
        times = [series, self.last_timestamp, self.event_time, self.first_timestamp]
        return max((time for time in times if time), default=self.metadata.creation_timestamp)


TYPES: dict[str, type[Object]] = {
    "Pod": Pod,
    "Event": Event,
    "Node": Node,
    "Service": Service,
    "PersistentVolumeClaim": PersistentVolumeClaim,
    "Deployment": Workload,
    "ReplicaSet": Workload,
    "StatefulSet": Workload,
    "DaemonSet": Workload,
    "Job": Workload,
    "CronJob": CronJob,
    "RuntimeClass": RuntimeClass,
    "StorageClass": StorageClass,
}
"""The kinds a snapshot holds, and the type each is decoded into."""

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
