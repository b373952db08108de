"""What other people's monitors say of a node's GPUs, in conditions and events of the node.

Every monitor has names of its own, and some say what is well, others what is wrong: a table knows
those that are in use. A condition that looks like one of a GPU and is in no table is shown, and
accuses only where its words leave no doubt (an Xid of the hardware, a GPU off the bus).

Sources: NVIDIA/NVSentinel, aws/eks-node-monitoring-agent, AKS' node-problem-detector.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.model import Case, Certainty, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot.objects import Condition, Node

RECENT = timedelta(hours=1)
APPLICATION_XIDS = frozenset({8, 11, 13, 31, 32, 38, 39, 40, 41, 43, 45, 68, 69, 92, 94, 109, 137})
"""Those whose action, by NVIDIA's catalogue, is to restart the program or to do nothing."""

HARDWARE, LOST, THERMAL = "gpu-hardware-fault", "gpu-lost", "gpu-thermal-or-power"
_FAULT_IF_TRUE = {
    **dict.fromkeys(("GpuMemWatch", "GpuPcieWatch", "GpuInforomWatch", "GpuNvlinkWatch"), HARDWARE),
    **dict.fromkeys(("GpuThermalWatch", "GpuPowerWatch"), THERMAL),
    **dict.fromkeys(("SysLogsXIDError", "XIDErrors"), HARDWARE),
    **dict.fromkeys(("SysLogsGPUFallenOff", "NVLinkStatusInactive"), HARDWARE),
    "GPUMissing": LOST,
    # Of services and of other devices: shown, and nobody's GPU is broken by them.
    "GpuDriverWatch": "",
    "GpuDcgmConnectivityFailure": "",
    "GpuDcgmUnresponsive": "",
    "UnhealthyNvidiaDevicePlugin": "",
    "UnhealthyNvidiaDCGMServices": "",
    "IBLinkFlapping": "",
}
_FAULT_IF_FALSE = {"AcceleratedHardwareReady": HARDWARE}

_ABOUT_GPU = re.compile(r"(?i)gpu|nvidia|xid|nvlink|nvswitch|accelerat|dcgm")
_SAYS_WELL = re.compile(r"(?i)(?:ready|healthy|ok|available|active|passed|free)$")
_SAYS_ILL = re.compile(r"(?i)^(?:un|in)|unhealthy|inactive|missing|not")
_NO_DOUBT = re.compile(
    r"(?i)fallen off the bus|gpu is lost|uncorrect(?:able|ed) (?:ecc|memory)|double-?bit"
    r"|row[- ]?remap\w* fail|inforom is corrupt"
)
_MISSING = re.compile(r"(?i)gpu-?missing|DeviceCountMismatch|NHC2009|expected to see \d+ GPUs? but")
_XID = re.compile(r"(?i)xid[^0-9]{0,40}?(?:\([^)]*\)[:\s]*)?(\d{1,9})")
_REASONS = re.compile(
    r"(?i)xid|nvlink|ecc|double-?bit|inforom|fall(?:en|ing)?[- ]?off|gpu ?is ?lost|row[- ]?remap"
    r"|page ?retire|pcie|dcgm ?diag|gsp|nvswitch|hardware"
)
_HEAT = re.compile(r"(?i)therm|overheat|temperature|power|slowdown|throttl")


class Fault(NamedTuple):
    """What accuses a node's GPU, and of what."""

    cause: str
    evidence: Evidence
    text: str
    certainty: Certainty = Certainty.CERTAIN


def of_conditions(node: Node) -> Iterator[Fault]:
    for condition in node.status.conditions or ():
        fault = condition_fault(node, condition)
        if fault:
            yield fault


def condition_fault(node: Node, condition: Condition) -> Fault | None:
    """What a foreign condition accuses a GPU of, minding its polarity."""
    cause = _accusation(condition)
    if not cause:
        return None
    text = _said(condition)
    evidence = Evidence("status", f"Node {node.name}", text, condition.last_transition_time)
    return Fault(cause, evidence, text)


def unjudged(node: Node) -> tuple[Evidence, ...]:
    """Conditions about GPUs that nobody here knows how to read, and that are not plainly good."""
    return tuple(
        Evidence("status", f"Node {node.name}", _said(each), each.last_transition_time)
        for each in node.status.conditions or ()
        if _ABOUT_GPU.search(each.type)
        and each.type not in _FAULT_IF_FALSE
        and (each.type not in _FAULT_IF_TRUE or (not _FAULT_IF_TRUE[each.type] and _holds(each)))
        and not _accusation(each)
    )


def denies(node: Node) -> bool:
    """Whether a monitor that is known says that the GPUs are well."""
    return any(
        (each.type in _FAULT_IF_TRUE and each.status == "False")
        or (each.type in _FAULT_IF_FALSE and each.status == "True")
        for each in node.status.conditions or ()
    )


def _holds(condition: Condition) -> bool:
    return condition.status == "True"


def _said(condition: Condition) -> str:
    words = " ".join(filter(None, (condition.reason, condition.message)))
    return f"{condition.type}={condition.status}" + (f": {words}" if words else "")


def _accusation(condition: Condition) -> str:
    type_, words = condition.type, f"{condition.reason or ''} {condition.message or ''}"
    for table, status in ((_FAULT_IF_TRUE, "True"), (_FAULT_IF_FALSE, "False")):
        if type_ in table:
            accused = condition.status == status and table[type_]
            return _of_words(words) if accused and _is_about_program(words) else accused or ""
    if not _ABOUT_GPU.search(type_):
        return ""
    positive = _SAYS_WELL.search(type_) and not _SAYS_ILL.search(type_)
    return _of_words(words) if condition.status == ("False" if positive else "True") else ""


def _is_about_program(words: str) -> bool:
    """An Xid that only a program is to blame for, or a count that does not match."""
    return bool(_XID.search(words) or _MISSING.search(words))


def _of_words(words: str) -> str:
    """What words alone say; empty where they accuse the program, a service, or nobody."""
    codes = {int(code) for code in _XID.findall(words)}
    if codes - APPLICATION_XIDS:
        return HARDWARE
    if codes:
        return ""
    if _MISSING.search(words):
        return LOST
    return HARDWARE if _NO_DOUBT.search(words) else ""


def of_events(case: Case, node: Node, *, overcome: bool) -> Iterator[Fault]:
    """Of the last hour. ``overcome``: the node has since offered all its GPUs again, and its
    own conditions deny the fault."""
    for event in case.snapshot.events_of("Node", "", node.name):
        text, seen = event.message or "", event.last_seen
        if event.reason in ("Rebooted", "Starting") or event.type == "Normal" or seen is None:
            continue
        if case.snapshot.info.taken_at - seen > RECENT:
            continue
        words = f"{event.reason or ''} {text}"
        cause = _of_event(words) if _ABOUT_GPU.search(words) else ""
        if cause == HARDWARE and not overcome:
            yield Fault(cause, Evidence("event", f"Node {node.name}", text, seen), text)


def _of_event(words: str) -> str:
    if _XID.search(words) or _MISSING.search(words):
        return _of_words(words)
    if _HEAT.search(words):
        return THERMAL
    return HARDWARE if _REASONS.search(words) or _NO_DOUBT.search(words) else ""
