"""Pods: where they may run, what they mount, how their containers are."""

from __future__ import annotations

import msgspec

from kubectl_wasmai.snapshot.objects.containers import Container, SecurityContext
from kubectl_wasmai.snapshot.objects.meta import Base, Condition, Object, SelectorTerm, Time
from kubectl_wasmai.snapshot.objects.nodes import Toleration


class ClaimSource(Base, frozen=True):
    claim_name: str = ""


class HostPath(Base, frozen=True):
    path: str = ""


class ImageVolume(Base, frozen=True):
    """An image mounted as a read-only volume: a model without the pull of a program."""

    reference: str | None = None


class EmptyDir(Base, frozen=True):
    """Empty at the start; only that it is one matters."""


class Volume(Base, frozen=True):
    """Sources that some check tells apart; any other leaves all of them ``None``."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    host_path: HostPath | None = None
    image: ImageVolume | None = None
    empty_dir: EmptyDir | None = None


class NodeSelectorTerm(Base, frozen=True):
    match_expressions: list[SelectorTerm] | None = None
    match_fields: list[SelectorTerm] | None = None


class RequiredNodes(Base, frozen=True):
    node_selector_terms: list[NodeSelectorTerm] | None = None


class NodeAffinity(Base, frozen=True):
    required: RequiredNodes | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Base, frozen=True):
    node_affinity: NodeAffinity | None = None


class PodResourceClaim(Base, frozen=True):
    """Dynamic resource allocation: a claim by name, or a template one is made from."""

    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodSpec(Base, frozen=True):
    runtime_class_name: str | None = None
    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    overhead: dict[str, str | int | float] | None = None
    restart_policy: str | None = None
    service_account_name: str | None = None
    host_network: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    tolerations: list[Toleration] | None = None
    affinity: Affinity | None = None
    resource_claims: list[PodResourceClaim] | None = None
    security_context: SecurityContext | None = None


class StateWaiting(Base, frozen=True):
    reason: str | None = None
    message: str | None = None


class StateRunning(Base, frozen=True):
    started_at: Time | None = None


class StateTerminated(Base, frozen=True):
    exit_code: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(Base, frozen=True):
    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class DeviceHealth(Base, frozen=True):
    """What a device plugin or a driver says of one device that a container holds."""

    resource_id: str = msgspec.field(default="", name="resourceID")
    health: str | None = None
    message: str | None = None


class AllocatedResource(Base, frozen=True):
    name: str = ""
    resources: list[DeviceHealth] | None = None


class ContainerStatus(Base, frozen=True):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    allocated_resources_status: list[AllocatedResource] | None = None


class PodClaimStatus(Base, frozen=True):
    """The claim that was made from a template for a pod."""

    name: str = ""
    resource_claim_name: str | None = None


class ExtendedClaimStatus(Base, frozen=True):
    """The claim that stands behind a pod's extended resources."""

    resource_claim_name: str = ""


class PodStatus(Base, frozen=True):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: Time | None = None
    conditions: list[Condition] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None
    resource_claim_statuses: list[PodClaimStatus] | None = None
    extended_resource_claim_status: ExtendedClaimStatus | None = None


class Pod(Object, frozen=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ContainerUsage(Base, frozen=True):
    name: str = ""
    usage: dict[str, str | int | float] | None = None


class PodMetrics(Object, frozen=True):
    """What `kubectl top pod` shows, where a metrics server runs."""

    containers: list[ContainerUsage] | None = None
