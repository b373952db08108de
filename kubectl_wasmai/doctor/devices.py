"""Dynamic resource allocation as a snapshot shows it: devices, who holds them, who asks for what.

Drivers publish devices in ResourceSlices; a DeviceClass selects some of them by an expression;
pods ask by claims, or by the name of an extended resource that a class stands for. Of the
expressions only the usual shape is understood (``device.driver == "…" && device.attributes["…"].x
== "…"``); whatever else they say may hold or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.quantity import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.model import Case
    from kubectl_wasmai.snapshot import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import (
        DeviceClass,
        DeviceFacts,
        DeviceTaint,
        ExactRequest,
        Pod,
        PodSpec,
        ResourceClaim,
    )
    from kubectl_wasmai.snapshot.objects.devices import DeviceClaimSpec, DeviceSelector

IMPLICIT = "deviceclass.resource.kubernetes.io/"
"""Every class is an extended resource of this name (KEP-5004)."""
EXTENDED_SINCE = (1, 36)
"""Extended resources by DRA are on by default from here on (alpha in 1.34 and 1.35)."""
KEEPING_AWAY = ("NoSchedule", "NoExecute")

_DRIVER = re.compile(r"""device\.driver\s*==\s*(["'])(?P<driver>[^"']+)\1""")
_ATTRIBUTE = re.compile(
    r"""device\.attributes\[(["'])[^"']+\1\]\.(?P<name>\w+)\s*==\s*(["'])(?P<value>[^"']*)\3"""
)
_MINOR = re.compile(r"v?(\d{1,4})\.(\d{1,4})")

DeviceKey = tuple[str, str, str]


@dataclass(frozen=True)
class PublishedDevice:
    """A device of a current slice. ``node`` is empty where several nodes reach it."""

    driver: str
    pool: str
    name: str
    node: str
    facts: DeviceFacts

    @property
    def key(self) -> DeviceKey:
        return self.driver, self.pool, self.name

    def text(self, attribute: str) -> str:
        """A string or version attribute; drivers write their own without a domain."""
        attributes = self.facts.attributes or {}
        found = attributes.get(attribute) or attributes.get(f"{self.driver}/{attribute}")
        return (found.string or found.version or "") if found else ""

    @property
    def memory(self) -> float:
        """Bytes; 0 where the driver does not tell."""
        capacity = self.facts.capacity or {}
        found = capacity.get("memory") or capacity.get(f"{self.driver}/memory")
        return amount(found.value) if found else 0.0

    @property
    def blocking_taints(self) -> tuple[DeviceTaint, ...]:
        return tuple(t for t in self.facts.taints or () if t.effect in KEEPING_AWAY)


class Need(NamedTuple):
    """One claim that a pod refers to. ``spec`` is ``None`` where ``origin`` does not exist, or is
    of a kind that was not collected (``is_seen`` is false)."""

    name: str
    origin: str
    spec: DeviceClaimSpec | None
    is_seen: bool = True


@once_per_case
def published(case: Case) -> tuple[PublishedDevice, ...]:
    """Devices of each pool's newest generation: older slices are about to be deleted."""
    newest: dict[tuple[str, str], int] = {}
    slices = case.snapshot.resource_slices
    for each in slices:
        pool = each.spec.driver, each.spec.pool.name
        newest[pool] = max(newest.get(pool, 0), each.spec.pool.generation)
    return tuple(
        PublishedDevice(
            each.spec.driver,
            each.spec.pool.name,
            device.name,
            device.node_name or each.spec.node_name or "",
            device.facts,
        )
        for each in slices
        if each.spec.pool.generation == newest[each.spec.driver, each.spec.pool.name]
        for device in each.spec.devices or ()
    )


@once_per_case
def by_node(case: Case) -> dict[str, tuple[PublishedDevice, ...]]:
    """The devices of each node that has any."""
    found: dict[str, list[PublishedDevice]] = {}
    for device in published(case):
        if device.node:
            found.setdefault(device.node, []).append(device)
    return {node: tuple(devices) for node, devices in found.items()}


@once_per_case
def by_key(case: Case) -> dict[DeviceKey, PublishedDevice]:
    """By driver, pool and name, as claims name what they were given."""
    return {device.key: device for device in published(case)}


def gpus_of(case: Case, node: str) -> tuple[PublishedDevice, ...]:
    """Those of a node that are GPUs."""
    return tuple(d for d in by_node(case).get(node, ()) if gpu.is_gpu_driver(d.driver))


@once_per_case
def holders(case: Case) -> dict[DeviceKey, str]:
    """Allocated devices, and the claim that has each; administrators' access takes nothing."""
    return {
        (each.driver, each.pool, each.device): f"{claim.namespace}/{claim.name}"
        for claim in case.snapshot.resource_claims.values()
        if claim.status.allocation
        for each in claim.status.allocation.devices.results or ()
        if not each.admin_access
    }


def needs(snapshot: ClusterSnapshot, spec: PodSpec, namespace: str) -> Iterator[Need]:
    """What the pod template refers to."""
    for entry in spec.resource_claims or ():
        found: DeviceClaimSpec | None
        if entry.resource_claim_template_name:
            kind, name = "ResourceClaimTemplate", entry.resource_claim_template_name
            template = snapshot.claim_templates.get((namespace, name))
            found = template.spec.spec if template else None
        else:
            kind, name = "ResourceClaim", entry.resource_claim_name or ""
            claim = snapshot.resource_claims.get((namespace, name))
            found = claim.spec if claim else None
        yield Need(entry.name, f"{kind} {namespace}/{name}", found, snapshot.has(kind))


def claims_of(snapshot: ClusterSnapshot, pod: Pod) -> Iterator[ResourceClaim]:
    """The claims that a pod has, named or made for it."""
    made = {s.name: s.resource_claim_name for s in pod.status.resource_claim_statuses or ()}
    names = [
        entry.resource_claim_name or made.get(entry.name)
        for entry in pod.spec.resource_claims or ()
    ]
    if pod.status.extended_resource_claim_status:
        names.append(pod.status.extended_resource_claim_status.resource_claim_name)
    for name in names:
        claim = snapshot.resource_claims.get((pod.namespace, name or ""))
        if claim:
            yield claim


def holds_gpu(snapshot: ClusterSnapshot, pod: Pod) -> bool:
    """Whether the pod has GPUs on its node now, by a count or by a claim."""
    if gpu.granted(pod):
        return True
    if not pod.spec.node_name or pod.status.phase in ("Failed", "Succeeded"):
        return False
    return any(
        gpu.is_gpu_driver(each.driver)
        for claim in claims_of(snapshot, pod)
        if claim.status.allocation
        for each in claim.status.allocation.devices.results or ()
    )


def fits(selectors: Iterable[DeviceSelector] | None, device: PublishedDevice) -> bool:
    """Whether the device may be meant: nothing that is understood speaks against it."""
    text = " && ".join(each.cel.expression for each in selectors or () if each.cel)
    if "||" in text or "!" in text.replace("!=", ""):
        return True
    drivers = {match["driver"] for match in _DRIVER.finditer(text)}
    wanted = [(match["name"], match["value"]) for match in _ATTRIBUTE.finditer(text)]
    return drivers <= {device.driver} and all(
        device.text(name) in ("", value) for name, value in wanted
    )


def drivers(class_: DeviceClass) -> tuple[str, ...]:
    """The drivers that a class names."""
    texts = [each.cel.expression for each in class_.spec.selectors or () if each.cel]
    return tuple(dict.fromkeys(m["driver"] for text in texts for m in _DRIVER.finditer(text)))


def of_class(case: Case, request: ExactRequest) -> tuple[PublishedDevice, ...]:
    """Devices that the class and the request's own selectors allow."""
    class_ = case.snapshot.device_classes.get(request.device_class_name or "")
    if class_ is None:
        return ()
    return tuple(
        device
        for device in published(case)
        if fits(class_.spec.selectors, device) and fits(request.selectors, device)
    )


def classes_by_resource(snapshot: ClusterSnapshot) -> dict[str, DeviceClass]:
    """Extended resources that a class stands for, where the server is new enough for them."""
    if not has_extended(snapshot):
        return {}
    named = {
        each.spec.extended_resource_name: each
        for each in snapshot.device_classes.values()
        if each.spec.extended_resource_name
    }
    return {**{IMPLICIT + name: each for name, each in snapshot.device_classes.items()}, **named}


def has_extended(snapshot: ClusterSnapshot) -> bool:
    match = _MINOR.match(snapshot.info.server_version)
    return match is None or (int(match[1]), int(match[2])) >= EXTENDED_SINCE


@once_per_case
def offers(case: Case) -> dict[tuple[str, str], tuple[int, int]]:
    """By node and extended resource: how many devices stand behind it, and how many are free."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    taken = holders(case)
    for resource, class_ in classes_by_resource(case.snapshot).items():
        for device in published(case):
            if not device.node or not fits(class_.spec.selectors, device):
                continue
            usable = not device.blocking_taints
            total, free = found.get((device.node, resource), (0, 0))
            is_free = usable and device.key not in taken
            found[device.node, resource] = (total + usable, free + is_free)
    return found
