"""Nodes, and the RuntimeClasses that choose a handler on them."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Condition, Object


class Taint(Base, frozen=True):
    key: str = ""
    value: str | None = None
    effect: str = ""


class Toleration(Base, frozen=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class NodeSpec(Base, frozen=True):
    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeInfo(Base, frozen=True):
    architecture: str | None = None
    container_runtime_version: str | None = None
    kubelet_version: str | None = None
    os_image: str | None = None


class RuntimeHandler(Base, frozen=True):
    name: str = ""


class NodeStatus(Base, frozen=True):
    allocatable: dict[str, str | int | float] | None = None
    capacity: dict[str, str | int | float] | None = None
    conditions: list[Condition] | None = None
    node_info: NodeInfo = NodeInfo()
    runtime_handlers: list[RuntimeHandler] | None = None


class Node(Object, frozen=True):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class RuntimeClassOverhead(Base, frozen=True):
    pod_fixed: dict[str, str | int | float] | None = None


class RuntimeClassScheduling(Base, frozen=True):
    node_selector: dict[str, str] | None = None
    tolerations: list[Toleration] | None = None


class RuntimeClass(Object, frozen=True):
    handler: str = ""
    overhead: RuntimeClassOverhead | None = None
    scheduling: RuntimeClassScheduling | None = None
