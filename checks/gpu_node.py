"""GPUs that were there: withdrawn as unhealthy, lost, broken, hot, or wrongly divided.

Capacity above allocatable is what the plugin withdrew; a label's count above capacity is what
the plugin never saw again. Conditions are of other people's monitors: some say what is well,
some what is wrong.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.gpu_demand import shortages
from kubectl_wasmai.checks.gpu_operator import component_findings
from kubectl_wasmai.checks.node import trouble

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Detector,
    Evidence,
    Finding,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.checks.gpu_demand import Shortage

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Condition, Node

RECENT = timedelta(hours=1)
MIG_STATE, MIG_CONFIG = "nvidia.com/mig.config.state", "nvidia.com/mig.config"

_ABOUT_GPU = re.compile(r"(?i)gpu|nvidia|xid|nvlink|nvswitch|accelerat|dcgm")
_SAYS_WELL = re.compile(r"(?i)(?:ready|healthy|ok|available|active|passed)$")
_SAYS_ILL = re.compile(r"(?i)^(?:un|in)|unhealthy|inactive|missing|not")
_THERMAL = re.compile(r"(?i)therm|overheat|temperature|power|slowdown|throttl")
_MISSING = re.compile(r"(?i)gpu-?missing|DeviceCountMismatch|NHC2009|expected to see \d+ GPUs? but")
_HARDWARE = re.compile(
    r"(?i)xid|nvlink|ecc|double-?bit|inforom|fall(?:en|ing)?[- ]?off|gpu ?is ?lost|row[- ]?remap"
    r"|page ?retire|pcie|gpumem|accelerat|hardware|dcgm ?diag|gsp|nvswitch|gpu.*(?:error|fail)"
)
# Of monitors and services rather than of GPUs.
_SERVICE = re.compile(r"(?i)plugin|dcgm(?:services|connectivity|unresponsive)|driver(?:watch)?$|IB")
_XID = re.compile(r"(?i)xid[^0-9]{0,40}?(?:\([^)]*\)[:\s]*)?(\d+)")
APPLICATION_XIDS = frozenset({8, 11, 13, 31, 32, 38, 39, 40, 41, 43, 45, 68, 69, 92, 94, 109, 137})
"""Those whose action, by NVIDIA's catalogue, is to restart the program or to do nothing."""


class Fault(NamedTuple):
    cause: str
    evidence: Evidence
    text: str


def condition_fault(node: Node, condition: Condition) -> Fault | None:
    """What a foreign condition accuses a GPU of, minding its polarity."""
    if not _ABOUT_GPU.search(condition.type) or condition.type.startswith("NetworkUnavail"):
        return None
    positive = _SAYS_WELL.search(condition.type) and not _SAYS_ILL.search(condition.type)
    if condition.status != ("False" if positive else "True"):
        return None
    text = f"{condition.type}={condition.status}: " + " ".join(
        filter(None, (condition.reason, condition.message))
    )
    evidence = Evidence("status", f"Node {node.name}", text, condition.last_transition_time)
    cause = _cause(condition.type, f"{condition.reason or ''} {condition.message or ''}")
    return Fault(cause, evidence, text) if cause else None


def _cause(type_: str, text: str) -> str:
    """Empty where the words accuse the program, a service, or nobody."""
    words = f"{type_} {text}"
    codes = {int(code) for code in _XID.findall(text)}
    if codes and codes <= APPLICATION_XIDS:
        return ""
    if codes - APPLICATION_XIDS:
        return "gpu-hardware-fault"
    if _MISSING.search(words):
        return "gpu-lost"
    if _THERMAL.search(words):
        return "gpu-thermal-or-power"
    if _SERVICE.search(type_):
        return ""
    return "gpu-hardware-fault" if _HARDWARE.search(words) else ""


def faults(case: Case, node: Node) -> Iterator[Fault]:
    """What monitors say of the node's GPUs: conditions, and events that no reboot followed."""
    for condition in node.status.conditions or ():
        fault = condition_fault(node, condition)
        if fault:
            yield fault
    for event in case.snapshot.events_of("Node", "", node.name):
        text, seen = event.message or "", event.last_seen
        if event.reason in ("Rebooted", "Starting") or seen is None:
            continue
        old = case.snapshot.info.taken_at - seen > RECENT
        if event.type == "Normal" or old or not _ABOUT_GPU.search(f"{event.reason} {text}"):
            continue
        cause = _cause(event.reason or "", text)
        if cause and not _overcome(node, cause):
            evidence = Evidence("event", f"Node {node.name}", text, seen)
            yield Fault(cause, evidence, text)


def _overcome(node: Node, cause: str) -> bool:
    """Whether the node offers all its GPUs while its own condition denies the event."""
    if cause != "gpu-hardware-fault":
        return True
    denied = any(
        _ABOUT_GPU.search(each.type) and condition_fault(node, each) is None
        for each in node.status.conditions or ()
    )
    return denied and not withdrawn(node)


def withdrawn(node: Node) -> dict[str, tuple[int, int]]:
    """Resources of which the node offers fewer than it has."""
    return {name: pair for name, pair in gpu.offers(node).items() if pair[1] < pair[0]}


def sick_gpus(case: Case) -> Iterable[Finding]:
    """For each node the worst thing that is known of its GPUs."""
    lacking = shortages(case)
    components = component_findings(case, lacking)
    for node in case.snapshot.nodes:
        found = trouble(node)
        if found is not None and found.cause != "node-pressure":
            continue  # a node that is not ready has lost more than its GPUs
        workloads = _suffering(case, node, lacking)
        accused = [*faults(case, node), *_mig(node)]
        for fault in accused:
            names = {"node": node.name, "fault": fault.text, **_mig_names(node)}
            names["count"] = fault.text
            yield _finding(fault.cause, node, workloads, fault.evidence, names)
        if not accused and not _explained(case, components, node):
            yield from _fewer(node, workloads, lacking)


def _fewer(
    node: Node, workloads: tuple[Subject, ...], lacking: tuple[Shortage, ...]
) -> Iterator[Finding]:
    missed = {each.resource for each in lacking if node in each.nodes and each.kind == "sick"}
    for name, (capacity, allocatable) in gpu.offers(node).items():
        labelled = gpu.expected_count(node) if name == "nvidia.com/gpu" else 0
        gone = not allocatable and (capacity or labelled or name in missed)
        if gone or (capacity < labelled and capacity == allocatable):
            cause = "gpu-lost"
        elif allocatable < capacity:
            cause = "gpu-device-unhealthy"
        else:
            continue
        text = f"{name}: capacity {capacity}, allocatable {allocatable}"
        text += f", label {labelled}" if labelled else ""
        evidence = Evidence("status", f"Node {node.name}", text)
        yield _finding(cause, node, workloads, evidence, {"node": node.name, "count": text})


def _mig(node: Node) -> Iterator[Fault]:
    if node.labels.get(MIG_STATE) == "failed":
        text = f"label {MIG_STATE}=failed, {MIG_CONFIG}={node.labels.get(MIG_CONFIG, '')}"
        yield Fault("mig-config-failed", Evidence("status", f"Node {node.name}", text), text)


def _mig_names(node: Node) -> dict[str, str]:
    config = node.labels.get(MIG_CONFIG, "")
    return {"config": config or "that is wanted", "label": f"{MIG_CONFIG}={config}"}


def _explained(case: Case, components: list[Finding], node: Node) -> bool:
    """Whether what offers the node's GPUs does not run there: then they are not lost."""
    subjects = {each.subject for each in components if each.subject.kind == "DaemonSet"}
    return any(
        not view.pods or any(pod.spec.node_name == node.name for pod in view.pods)
        for view in case.components
        if view.subject in subjects and gpu.role(view) != gpu.EXPORTER
    )


def _suffering(case: Case, node: Node, lacking: tuple[Shortage, ...]) -> tuple[Subject, ...]:
    """Workloads whose pods wait for this node's GPUs, or were rejected by it."""
    waiting = {each.workload for each in lacking if node in each.nodes and each.kind != "exhausted"}
    waiting |= {each.workload for each in lacking if node in each.nodes and withdrawn(node)}
    rejected = {view.subject for view in case.workloads if _rejected(view, node)}
    return tuple(sorted(waiting | rejected))


def _rejected(view: WorkloadView, node: Node) -> bool:
    return any(
        pod.status.phase == "Failed" and pod.spec.node_name == node.name for pod in view.pods
    ) and bool(gpu.requests(view.spec))


def _finding(
    cause: str,
    node: Node,
    workloads: tuple[Subject, ...],
    evidence: Evidence,
    names: dict[str, str],
) -> Finding:
    subject = Subject("Node", "", node.name)
    affected = (*workloads, subject)
    return Finding(cause, subject, Certainty.CERTAIN, (evidence,), names, affected)


DETECTORS = (
    Detector(
        (
            "gpu-hardware-fault",
            "gpu-thermal-or-power",
            "gpu-device-unhealthy",
            "gpu-lost",
            "mig-config-failed",
        ),
        ("Node",),
        sick_gpus,
    ),
)
