"""Signs of a sick GPU besides the node's conditions: taints, held devices, metrics.

DRA drivers taint a device (``gpu.nvidia.com/xid``, ``…/gpu-lost``); the kubelet tells the health of
each device that a container holds (KEP-4680); exporters tell temperature, row remapping and the
last Xid, which stays there until the exporter or the driver starts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_conditions import (
    APPLICATION_XIDS,
    HARDWARE,
    THERMAL,
    Fault,
)
from kubectl_wasmai.checks.gpu_metrics import (
    ECC,
    HEALTH,
    HOTTEST,
    MARGIN,
    REMAP_FAILED,
    REMAP_PENDING,
    TEMPERATURE,
    THROTTLED,
    XID,
    Gpu,
    of_node,
)

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import gpus_of
from kubectl_wasmai.doctor.health import container_statuses
from kubectl_wasmai.doctor.model import Case, Certainty, Evidence, Subject
from kubectl_wasmai.doctor.once import once_per_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot.objects import DeviceTaint, Node, Pod

UNHEALTHY = "Unhealthy"
HOT = 85.0
"""Degrees Celsius that are worth a look where the device does not tell its own limit."""
HW_SLOWDOWN = 0x8 | 0x40 | 0x80
"""Clocks held down by the hardware itself: slowdown, heat, power brake. A cap on power by
software (0x4) and idleness (0x1) are ordinary."""
_OF_PROGRAMS = frozenset(map(str, APPLICATION_XIDS))
WATCH_FAILS, WATCH_WARNS = 20, 10
"""dcgmHealthWatchResults_t."""


def of_taints(case: Case, node: Node) -> Iterator[Fault]:
    for device in gpus_of(case, node.name):
        for taint in device.blocking_taints:
            if not _accuses(device.driver, taint):
                continue
            value = f"={taint.value}" if taint.value else ""
            text = f"device {device.name} is tainted {taint.key}{value}:{taint.effect}"
            yield Fault(HARDWARE, Evidence("status", f"Node {node.name}", text), text)


def _accuses(driver: str, taint: DeviceTaint) -> bool:
    """Administrators taint devices, too, for reasons of their own."""
    if taint.key == f"{driver}/gpu-lost":
        return True
    return taint.key == f"{driver}/xid" and taint.value not in _OF_PROGRAMS


def of_held_devices(case: Case, node: Node) -> Iterator[Fault]:
    """A container goes on with a device that has fallen ill: its pod looks well."""
    for _, evidence in held_sick(case).get(node.name, ()):
        yield Fault("gpu-device-unhealthy", evidence, evidence.text)


@once_per_case
def held_sick(case: Case) -> dict[str, tuple[tuple[Subject, Evidence], ...]]:
    """By node: workloads that hold a device which is ill, and who says so."""
    found: dict[str, list[tuple[Subject, Evidence]]] = {}
    for view in case.workloads:
        for pod in view.pods:
            for name, text in _sick_devices(pod):
                about = f"{Subject('Pod', pod.namespace, pod.name)} [{name}]"
                evidence = Evidence("status", about, text)
                found.setdefault(pod.spec.node_name or "", []).append((view.subject, evidence))
    return {node: tuple(each) for node, each in found.items()}


def _sick_devices(pod: Pod) -> Iterator[tuple[str, str]]:
    """Container and words, for devices of pods that run; claims are told as ``claim:NAME``."""
    if pod.status.phase != "Running":
        return
    for status in container_statuses(pod):
        for each in status.allocated_resources_status or ():
            if not (gpu.is_gpu(each.name) or each.name.startswith("claim:")):
                continue
            for device in each.resources or ():
                if device.health == UNHEALTHY:
                    words = f": {device.message}" if device.message else ""
                    yield status.name, f"{each.name} {device.resource_id} is Unhealthy{words}"


def of_metrics(case: Case, node: Node, *, suspected: bool) -> Iterator[Fault]:
    """``suspected``: something else speaks against the node's GPUs, too. The last Xid alone may
    be of last month."""
    for each in of_node(case, node.name):
        if each.values.get(REMAP_FAILED):
            text = "remapping of memory rows has failed"
            yield _fault(HARDWARE, each, text, Certainty.CERTAIN)
        if each.values.get(HEALTH, 0) >= WATCH_FAILS:
            yield _fault(HARDWARE, each, "DCGM's health watch fails", Certainty.LIKELY)
        xid = int(each.values.get(XID, 0))
        if xid and xid not in APPLICATION_XIDS:
            certainty = Certainty.CERTAIN if suspected else Certainty.POSSIBLE
            yield _fault(HARDWARE, each, f"the last Xid was {xid}", certainty)
        limit, now = each.values.get(HOTTEST), each.values.get(TEMPERATURE)
        if limit and now is not None and now >= limit:
            text = f"{now:.0f} °C, at its limit of {limit:.0f} °C"
            yield _fault(THERMAL, each, text, Certainty.LIKELY)


def _fault(cause: str, each: Gpu, text: str, certainty: Certainty) -> Fault:
    return Fault(cause, each.evidence(text), f"{each.name}: {text}", certainty)


def worth_a_look(case: Case, node: Node) -> Iterator[Evidence]:
    """What a moment's metrics show that is no fault yet."""
    for each in of_node(case, node.name):
        xid = int(each.values.get(XID, 0))
        if xid:
            whose = "a program's doing" if xid in APPLICATION_XIDS else "of the hardware"
            yield each.evidence(f"the last Xid was {xid}, {whose}, at a time nobody tells")
        if each.values.get(REMAP_PENDING):
            yield each.evidence("memory rows wait to be remapped: reset the GPU when it is free")
        if each.values.get(ECC):
            yield each.evidence(f"{each.values[ECC]:.0f} uncorrectable memory errors so far")
        if WATCH_WARNS <= each.values.get(HEALTH, 0) < WATCH_FAILS:
            yield each.evidence("DCGM's health watch warns")
        if int(each.values.get(THROTTLED, 0)) & HW_SLOWDOWN:
            yield each.evidence("the hardware holds its clocks down now (heat or power)")
        yield from _warm(each)


def _warm(each: Gpu) -> Iterator[Evidence]:
    now, margin = each.values.get(TEMPERATURE), each.values.get(MARGIN)
    # Margins of zero and below are known to be bogus on some drivers.
    if margin is not None and 0 < margin <= 5:  # noqa: PLR2004 - degrees below the limit
        yield each.evidence(f"{margin:.0f} °C below the limit at which it slows down")
    elif margin is None and HOTTEST not in each.values and now is not None and now >= HOT:
        yield each.evidence(f"{now:.0f} °C; the device does not tell its limit")
