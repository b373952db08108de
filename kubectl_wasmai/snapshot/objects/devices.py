"""Dynamic resource allocation: devices that drivers publish, and claims on them.

The shapes are of ``resource.k8s.io/v1``. ``v1beta1`` puts a device under ``basic`` and a request's
class beside its name; both are read.
"""

from __future__ import annotations

import msgspec

from kubectl_wasmai.snapshot.objects.meta import Base, Object


class DeviceAttribute(Base, frozen=True):
    """One of these is set."""

    string: str | None = None
    version: str | None = None
    integer: int | None = msgspec.field(default=None, name="int")
    boolean: bool | None = msgspec.field(default=None, name="bool")


class DeviceCapacity(Base, frozen=True):
    value: str | int | float = 0


class DeviceTaint(Base, frozen=True):
    key: str = ""
    value: str | None = None
    effect: str = ""


class DeviceFacts(Base, frozen=True):
    attributes: dict[str, DeviceAttribute] | None = None
    capacity: dict[str, DeviceCapacity] | None = None
    taints: list[DeviceTaint] | None = None


class Device(DeviceFacts, frozen=True):
    name: str = ""
    node_name: str | None = None
    basic: DeviceFacts | None = None

    @property
    def facts(self) -> DeviceFacts:
        return self.basic or self


class Pool(Base, frozen=True):
    name: str = ""
    generation: int = 0


class SliceSpec(Base, frozen=True):
    driver: str = ""
    node_name: str | None = None
    pool: Pool = Pool()
    devices: list[Device] | None = None


class ResourceSlice(Object, frozen=True):
    spec: SliceSpec = SliceSpec()


class CelSelector(Base, frozen=True):
    expression: str = ""


class DeviceSelector(Base, frozen=True):
    cel: CelSelector | None = None


class DeviceClassSpec(Base, frozen=True):
    selectors: list[DeviceSelector] | None = None
    extended_resource_name: str | None = None


class DeviceClass(Object, frozen=True):
    spec: DeviceClassSpec = DeviceClassSpec()


class ExactRequest(Base, frozen=True):
    device_class_name: str | None = None
    selectors: list[DeviceSelector] | None = None
    count: int | None = None
    allocation_mode: str | None = None
    admin_access: bool | None = None


class SubRequest(ExactRequest, frozen=True):
    name: str = ""


class DeviceRequest(ExactRequest, frozen=True):
    name: str = ""
    exactly: ExactRequest | None = None
    first_available: list[SubRequest] | None = None

    @property
    def alternatives(self) -> tuple[ExactRequest, ...]:
        """What would do, the preferred first."""
        return tuple(self.first_available or ()) or (self.exactly or self,)


class ClaimDevices(Base, frozen=True):
    requests: list[DeviceRequest] | None = None


class DeviceClaimSpec(Base, frozen=True):
    devices: ClaimDevices = ClaimDevices()


class AllocatedDevice(Base, frozen=True):
    request: str = ""
    driver: str = ""
    pool: str = ""
    device: str = ""
    admin_access: bool | None = None


class AllocatedDevices(Base, frozen=True):
    results: list[AllocatedDevice] | None = None


class Allocation(Base, frozen=True):
    devices: AllocatedDevices = AllocatedDevices()


class ClaimConsumer(Base, frozen=True):
    resource: str = ""
    name: str = ""


class DeviceClaimStatus(Base, frozen=True):
    allocation: Allocation | None = None
    reserved_for: list[ClaimConsumer] | None = None


class ResourceClaim(Object, frozen=True):
    spec: DeviceClaimSpec = DeviceClaimSpec()
    status: DeviceClaimStatus = DeviceClaimStatus()


class ClaimTemplateSpec(Base, frozen=True):
    spec: DeviceClaimSpec = DeviceClaimSpec()


class ResourceClaimTemplate(Object, frozen=True):
    spec: ClaimTemplateSpec = ClaimTemplateSpec()
