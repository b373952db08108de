"""What GPU operators are asked to do, and how far they are.

NVIDIA's ClusterPolicy, NVIDIADriver and GPUCluster tell ``state`` and conditions; AMD's
DeviceConfig counts pods and has a state for each node's driver.
"""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Condition, Object


class CdiSpec(Base, frozen=True):
    enabled: bool | None = None
    nri_plugin_enabled: bool | None = None


class OperatorSpec(Base, frozen=True):
    cdi: CdiSpec | None = None


class OperandCount(Base, frozen=True):
    nodes_matching_selector_number: int = 0
    desired_number: int = 0
    available_number: int = 0


class ModuleStatus(Base, frozen=True):
    status: str | None = None


class OperatorStatus(Base, frozen=True):
    state: str | None = None
    namespace: str | None = None
    conditions: list[Condition] | None = None
    device_plugin: OperandCount | None = None
    node_module_status: dict[str, ModuleStatus] | None = None


class GpuOperator(Object, frozen=True):
    spec: OperatorSpec = OperatorSpec()
    status: OperatorStatus = OperatorStatus()
