"""GPUs that were there: withdrawn as unhealthy, lost, broken, hot, or wrongly divided.

Capacity above allocatable is what the plugin withdrew; a label's count above capacity is what
the plugin never saw again. Monitors, exporters, DRA drivers and the kubelet say more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks import gpu_conditions, gpu_signs
from kubectl_wasmai.checks.gpu_claims import unmet_claims
from kubectl_wasmai.checks.gpu_conditions import Fault
from kubectl_wasmai.checks.gpu_demand import shortages
from kubectl_wasmai.checks.gpu_operator import component_findings
from kubectl_wasmai.checks.node import trouble

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.doctor.once import once_per_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.checks.gpu_demand import Shortage

    from kubectl_wasmai.snapshot.objects import Node

MIG_STATE, MIG_CONFIG = "nvidia.com/mig.config.state", "nvidia.com/mig.config"


def faults(case: Case, node: Node) -> Iterator[Fault]:
    """All that accuses the node's GPUs: conditions, events that nothing has overcome, taints of
    devices, health of what containers hold, and metrics."""
    yield from gpu_conditions.of_conditions(node)
    overcome = gpu_conditions.denies(node) and not withdrawn(node)
    yield from gpu_conditions.of_events(case, node, overcome=overcome)
    yield from gpu_signs.of_taints(case, node)
    yield from gpu_signs.of_held_devices(case, node)
    yield from gpu_signs.of_metrics(case, node, suspected=bool(withdrawn(node)))


def withdrawn(node: Node) -> dict[str, tuple[int, int]]:
    """Resources of which the node offers fewer than it has."""
    return {name: pair for name, pair in gpu.offers(node).items() if pair[1] < pair[0]}


def sick_gpus(case: Case) -> Iterable[Finding]:
    """For each node the worst thing that is known of its GPUs."""
    lacking = shortages(case)
    components = component_findings(case)
    for node in case.snapshot.nodes:
        found = trouble(node)
        if found is not None and found.cause != "node-pressure":
            continue  # a node that is not ready has lost more than its GPUs
        workloads = _suffering(case, node, lacking)
        accused = [*faults(case, node), *_mig(node)]
        for fault in accused:
            names = {"node": node.name, "fault": fault.text, **_mig_names(node)}
            names["count"] = fault.text
            yield _finding(fault, node, workloads, names)
        firm = any(each.certainty is not Certainty.POSSIBLE for each in accused)
        if not firm and not _explained(case, components, node):
            yield from _fewer(node, workloads, lacking)


def _fewer(
    node: Node, workloads: tuple[Subject, ...], lacking: tuple[Shortage, ...]
) -> Iterator[Finding]:
    missed = {each.resource for each in lacking if node in each.nodes and each.kind == "sick"}
    for name, (capacity, allocatable) in gpu.offers(node).items():
        labelled = gpu.expected_count(node) if name == "nvidia.com/gpu" else 0
        gone = not allocatable and (capacity or labelled or name in missed)
        if gone and name not in missed and _renamed(node, name):
            continue
        if gone or (capacity < labelled and capacity == allocatable):
            cause = "gpu-lost"
        elif allocatable < capacity:
            cause = "gpu-device-unhealthy"
        else:
            continue
        text = f"{name}: capacity {capacity}, allocatable {allocatable}"
        text += f", label {labelled}" if labelled else ""
        fault = Fault(cause, Evidence("status", f"Node {node.name}", text), text)
        yield _finding(fault, node, workloads, {"node": node.name, "count": text})


def _renamed(node: Node, name: str) -> bool:
    """A plugin that began to share or divide GPUs leaves the old name behind, with nothing."""
    return any(
        free
        for other, (_, free) in gpu.offers(node).items()
        if other != name and gpu.vendor(other) == gpu.vendor(name)
    )


def _mig(node: Node) -> Iterator[Fault]:
    if node.labels.get(MIG_STATE) == "failed":
        text = f"label {MIG_STATE}=failed, {MIG_CONFIG}={node.labels.get(MIG_CONFIG, '')}"
        yield Fault("mig-config-failed", Evidence("status", f"Node {node.name}", text), text)


def _mig_names(node: Node) -> dict[str, str]:
    config = node.labels.get(MIG_CONFIG, "")
    return {"config": config or "that is wanted", "label": f"{MIG_CONFIG}={config}"}


def _explained(case: Case, components: tuple[Finding, ...], node: Node) -> bool:
    """Whether what offers the node's GPUs does not run there: then they are not lost."""
    subjects = {each.subject for each in components if each.subject.kind == "DaemonSet"}
    return any(
        not view.pods or any(pod.spec.node_name == node.name for pod in view.pods)
        for view in case.components
        if view.subject in subjects and gpu.role(view) != gpu.EXPORTER
    )


def _suffering(case: Case, node: Node, lacking: tuple[Shortage, ...]) -> tuple[Subject, ...]:
    """Workloads whose pods wait for this node's GPUs, were rejected by it, or hold a sick one."""
    waiting = {each.workload for each in lacking if node in each.nodes and each.kind != "exhausted"}
    waiting |= {each.workload for each in lacking if node in each.nodes and withdrawn(node)}
    waiting |= {c.view.subject for c in unmet_claims(case) if node.name in c.why.nodes}
    holding = {subject for subject, _ in gpu_signs.held_sick(case).get(node.name, ())}
    return tuple(sorted(waiting | _rejected(case).get(node.name, frozenset()) | holding))


@once_per_case
def _rejected(case: Case) -> dict[str, frozenset[Subject]]:
    """By node: workloads with GPUs whose pods ended there in failure."""
    found: dict[str, set[Subject]] = {}
    for view in case.workloads:
        if gpu.requests(view.spec):
            for pod in view.pods:
                if pod.status.phase == "Failed" and pod.spec.node_name:
                    found.setdefault(pod.spec.node_name, set()).add(view.subject)
    return {node: frozenset(subjects) for node, subjects in found.items()}


def _finding(
    fault: Fault, node: Node, workloads: tuple[Subject, ...], names: dict[str, str]
) -> Finding:
    subject = Subject("Node", "", node.name)
    affected = (*workloads, subject)
    return Finding(fault.cause, subject, fault.certainty, (fault.evidence,), names, affected)


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
