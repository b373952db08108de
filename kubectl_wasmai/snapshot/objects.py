"""Kubernetes objects, reduced to the fields that some check reads.

Every field has a default: the API omits empty ones, and a snapshot may hold objects that were
cut by hand. Adding a field here is enough to have it collected, saved and replayed.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec resolves annotations at run time

import msgspec


class _Base(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Camel-case on the wire, unknown fields ignored, immutable."""


class OwnerReference(_Base, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(_Base, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None


class Object(_Base, frozen=True):
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


class Condition(_Base, frozen=True):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None


class KeyRef(_Base, frozen=True):
    name: str | None = None
    key: str | None = None
    optional: bool | None = None


class EnvVarSource(_Base, frozen=True):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(_Base, frozen=True):
    name: str = ""
    value: str | None = None
    value_from: EnvVarSource | None = None


class ContainerPort(_Base, frozen=True):
    container_port: int = 0
    name: str | None = None
    protocol: str | None = None


class HTTPGetAction(_Base, frozen=True):
    path: str | None = None
    port: int | str = 0


class TCPSocketAction(_Base, frozen=True):
    port: int | str = 0


class ExecAction(_Base, frozen=True):
    command: list[str] | None = None


class Probe(_Base, frozen=True):
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    timeout_seconds: int | None = None
    failure_threshold: int | None = None


class LifecycleHandler(_Base, frozen=True):
    exec: ExecAction | None = None


class Lifecycle(_Base, frozen=True):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None


class ResourceRequirements(_Base, frozen=True):
    requests: dict[str, str | int | float] | None = None
    limits: dict[str, str | int | float] | None = None


class VolumeMount(_Base, frozen=True):
    name: str = ""
    mount_path: str = ""


class SecurityContext(_Base, frozen=True):
    """Of a pod or a container."""

    run_as_non_root: bool | None = None
    run_as_user: int | None = None


class Container(_Base, frozen=True):
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
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None


class ClaimSource(_Base, frozen=True):
    claim_name: str = ""


class Volume(_Base, frozen=True):
    name: str = ""
    persistent_volume_claim: ClaimSource | None = None


class Toleration(_Base, frozen=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class SelectorTerm(_Base, frozen=True):
    """``{key, operator, values}`` of a node affinity or a label selector."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class NodeSelectorTerm(_Base, frozen=True):
    match_expressions: list[SelectorTerm] | None = None
    match_fields: list[SelectorTerm] | None = None


class RequiredNodes(_Base, frozen=True):
    node_selector_terms: list[NodeSelectorTerm] | None = None


class NodeAffinity(_Base, frozen=True):
    required: RequiredNodes | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(_Base, frozen=True):
    node_affinity: NodeAffinity | None = None


class PodResourceClaim(_Base, frozen=True):
    """Dynamic resource allocation: a claim by name, or a template one is made from."""

    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodSpec(_Base, frozen=True):
    runtime_class_name: str | None = None
    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    overhead: dict[str, str | int | float] | None = None
    restart_policy: str | None = None
    service_account_name: str | None = None
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    tolerations: list[Toleration] | None = None
    affinity: Affinity | None = None
    resource_claims: list[PodResourceClaim] | None = None
    security_context: SecurityContext | None = None


class StateWaiting(_Base, frozen=True):
    reason: str | None = None
    message: str | None = None


class StateRunning(_Base, frozen=True):
    started_at: datetime | None = None


class StateTerminated(_Base, frozen=True):
    exit_code: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(_Base, frozen=True):
    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(_Base, frozen=True):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(_Base, frozen=True):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: datetime | None = None
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(Object, frozen=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(_Base, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class LabelSelector(_Base, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: list[SelectorTerm] | None = None


class WorkloadSpec(_Base, frozen=True):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None


class WorkloadStatus(_Base, frozen=True):
    """The counters of all controllers that make pods; each kind fills its own."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    desired_number_scheduled: int | None = None
    conditions: list[Condition] | None = None


class Workload(Object, frozen=True):
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class JobTemplate(_Base, frozen=True):
    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(_Base, frozen=True):
    job_template: JobTemplate = JobTemplate()


class CronJob(Object, frozen=True):
    spec: CronJobSpec = CronJobSpec()


class Taint(_Base, frozen=True):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(_Base, frozen=True):
    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeInfo(_Base, frozen=True):
    architecture: str | None = None
    container_runtime_version: str | None = None
    kubelet_version: str | None = None
    os_image: str | None = None


class RuntimeHandler(_Base, frozen=True):
    name: str = ""


class NodeStatus(_Base, frozen=True):
    allocatable: dict[str, str | int | float] | None = None
    capacity: dict[str, str | int | float] | None = None
    conditions: list[Condition] | None = None
    node_info: NodeInfo = NodeInfo()
    runtime_handlers: list[RuntimeHandler] | None = None


class Node(Object, frozen=True):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class RuntimeClassOverhead(_Base, frozen=True):
    pod_fixed: dict[str, str | int | float] | None = None


class RuntimeClassScheduling(_Base, frozen=True):
    node_selector: dict[str, str] | None = None


class RuntimeClass(Object, frozen=True):
    handler: str = ""
    overhead: RuntimeClassOverhead | None = None
    scheduling: RuntimeClassScheduling | None = None


class StorageClass(Object, frozen=True):
    provisioner: str = ""
    volume_binding_mode: str | None = None


class ClaimSpec(_Base, frozen=True):
    storage_class_name: str | None = None
    volume_name: str | None = None


class ClaimStatus(_Base, frozen=True):
    phase: str | None = None


class PersistentVolumeClaim(Object, frozen=True):
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class ServicePort(_Base, frozen=True):
    name: str | None = None
    port: int = 0
    target_port: int | str | None = None


class ServiceSpec(_Base, frozen=True):
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    type: str | None = None


class Service(Object, frozen=True):
    spec: ServiceSpec = ServiceSpec()


class TargetReference(_Base, frozen=True):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(_Base, frozen=True):
    scale_target_ref: TargetReference = TargetReference()


class AutoscalerStatus(_Base, frozen=True):
    conditions: list[Condition] | None = None


class HorizontalPodAutoscaler(Object, frozen=True):
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class QuotaStatus(_Base, frozen=True):
    hard: dict[str, str | int | float] | None = None
    used: dict[str, str | int | float] | None = None


class ResourceQuota(Object, frozen=True):
    status: QuotaStatus = QuotaStatus()


class ServiceAccount(Object, frozen=True):
    """Only that it exists matters."""


class Namespace(Object, frozen=True):
    """Its labels hold the level of Pod Security."""


class PersistentVolumeSpec(_Base, frozen=True):
    storage_class_name: str | None = None


class PersistentVolumeStatus(_Base, frozen=True):
    phase: str | None = None


class PersistentVolume(Object, frozen=True):
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()


class ApiServiceStatus(_Base, frozen=True):
    conditions: list[Condition] | None = None


class APIService(Object, frozen=True):
    status: ApiServiceStatus = ApiServiceStatus()


class BudgetSpec(_Base, frozen=True):
    selector: LabelSelector | None = None


class BudgetStatus(_Base, frozen=True):
    disruptions_allowed: int = 0
    expected_pods: int = 0


class PodDisruptionBudget(Object, frozen=True):
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


class ContainerUsage(_Base, frozen=True):
    name: str = ""
    usage: dict[str, str | int | float] | None = None


class PodMetrics(Object, frozen=True):
    """What `kubectl top pod` shows, where a metrics server runs."""

    containers: list[ContainerUsage] | None = None


class ObjectReference(_Base, frozen=True):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    field_path: str | None = None


class EventSeries(_Base, frozen=True):
    count: int = 0
    last_observed_time: datetime | None = None


class Event(Object, frozen=True):
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
    "Namespace": Namespace,
    "ServiceAccount": ServiceAccount,
    "ResourceQuota": ResourceQuota,
    "HorizontalPodAutoscaler": HorizontalPodAutoscaler,
    "PodDisruptionBudget": PodDisruptionBudget,
    "PersistentVolume": PersistentVolume,
    "APIService": APIService,
    "PodMetrics": PodMetrics,
}
"""The kinds a snapshot holds, and the type each is decoded into."""

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
