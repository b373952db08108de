"""Are the nodes' GPUs well? What accuses them is a fault; what a moment shows is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_conditions import unjudged
from kubectl_wasmai.checks.gpu_node import faults, withdrawn
from kubectl_wasmai.checks.gpu_signs import worth_a_look

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import gpus_of
from kubectl_wasmai.doctor.model import Case, Certainty, Check, Result, Severity, Status, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot.objects import Node


def gpus_healthy(case: Case) -> Iterable[Result]:
    nodes = [
        node
        for node in case.snapshot.nodes
        if gpu.offers(node) or gpu.shows_gpu(node) or gpus_of(case, node.name)
    ]
    if not nodes:
        yield Result(Status.SKIP, "no node has a GPU")
    for node in nodes:
        yield _of_node(case, node)


def _of_node(case: Case, node: Node) -> Result:
    subject = Subject("Node", "", node.name)
    accused = [each for each in faults(case, node) if each.certainty is not Certainty.POSSIBLE]
    if accused:
        evidence = tuple(each.evidence for each in accused[:3])
        return Result(Status.FAIL, accused[0].text, subject, evidence)
    for name, (capacity, allocatable) in withdrawn(node).items():
        return Result(Status.FAIL, f"{name}: {allocatable} of {capacity} can be used", subject)
    labelled = gpu.expected_count(node)
    capacity, _ = gpu.offers(node).get("nvidia.com/gpu", (labelled, 0))
    if 0 < capacity < labelled:
        reason = f"nvidia.com/gpu: {capacity} of the {labelled} that its labels count"
        return Result(Status.FAIL, reason, subject)
    seen = tuple(worth_a_look(case, node))
    if seen:
        return Result(Status.WARN, seen[0].text, subject, seen[:3])
    shown = unjudged(node)[:3]
    if any(free for _, free in gpu.offers(node).values()) or gpus_of(case, node.name):
        reason = "offers all GPUs it has; no monitor accuses one"
        reason += f" (not judged: {shown[0].text})" if shown else ""
        return Result(Status.PASS, reason, subject, shown)
    return Result(
        Status.UNKNOWN, "has a GPU by its labels, and offers none", subject, shown,
        needs="a device plugin on the node",
    )  # fmt: skip


CHECKS = (
    Check(
        id="gpu-healthy",
        title="The nodes' GPUs are healthy",
        severity=Severity.ERROR,
        needs=("Node",),
        run=gpus_healthy,
    ),
)
