"""What GPU operators say of themselves: NVIDIA's ClusterPolicy, NVIDIADriver and GPUCluster, and
AMD's DeviceConfig.

``state: ready`` alone means little: the operator counts its DaemonSets, and none wanted is as good
as all there. Only the condition's reason tells that it has no GPU node (``NoGPUNodes``) or cannot
find any (``NFDLabelsMissing``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.gpu_use import wanting

from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.rights import rule
from kubectl_wasmai.snapshot.objects import GpuOperator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot.objects import Condition

KINDS = ("ClusterPolicy", "NVIDIADriver", "GPUCluster", "DeviceConfig")
WITHOUT_NODES = {
    "NoGPUNodes": "GPU nodes: node feature discovery finds no GPU on any node",
    "NFDLabelsMissing": "node feature discovery: no node carries its labels",
}
COMING_UP = timedelta(minutes=20)
"""How long NVIDIA's operator gives a driver to be built and loaded: that is no fault yet."""
_MODULE_FAILED = ("Upgrade-Failed", "Upgrade-Timed-Out", "Drain-Failed", "Reboot-Failed")


class Verdict(NamedTuple):
    """``waits``: what an operator that is not ready waits for; empty where it is ready.
    ``is_young``: it may be on its way still."""

    subject: Subject
    namespace: str
    text: str
    waits: str = ""
    is_ignored: bool = False
    is_young: bool = False

    @property
    def evidence(self) -> Evidence:
        return Evidence("status", str(self.subject), self.text)


@once_per_case
def verdicts(case: Case) -> tuple[Verdict, ...]:
    return tuple(
        _of(case, Subject(kind, each.namespace, each.name), each)
        for kind in KINDS
        for each in case.snapshot.of(kind, GpuOperator)
    )


def _of(case: Case, subject: Subject, each: GpuOperator) -> Verdict:
    namespace = each.status.namespace or each.namespace
    if (each.status.state or "").lower() == "ignored":
        return Verdict(subject, namespace, "state: ignored: another one counts", is_ignored=True)
    conditions = {c.type: c for c in each.status.conditions or () if c.status == "True"}
    failed, ready = conditions.get("Error"), conditions.get("Ready")
    if failed:
        text = ": ".join(filter(None, (failed.reason, failed.message))) or "Error"
        since = failed.last_transition_time
        young = since is not None and case.snapshot.info.taken_at - since < COMING_UP
        is_young = young and failed.reason in ("OperandNotReady", "DriverNotReady")
        return Verdict(subject, namespace, text, text, is_young=is_young)
    text, waits = _said(each, ready)
    return Verdict(subject, namespace, text, waits)


def _said(each: GpuOperator, ready: Condition | None) -> tuple[str, str]:
    """What it is like, and what it waits for."""
    reason, state = (ready.reason if ready else "") or "", each.status.state or ""
    if reason in WITHOUT_NODES:
        return f"Ready with reason {reason}", WITHOUT_NODES[reason]
    for node, module in sorted((each.status.node_module_status or {}).items()):
        if module.status in _MODULE_FAILED:
            text = f"driver of {node}: {module.status}"
            return text, text
    counted = each.status.device_plugin
    if counted and counted.available_number < counted.desired_number:
        text = f"device plugin: {counted.available_number} of {counted.desired_number} pods"
        return text, "the device plugin's pods"
    if state.lower() in ("notready", "disabled") or not (state or ready):
        return f"state: {state}" if state else "no condition yet", "its operands"
    return f"ready ({reason or state})", ""


def findings(case: Case, starved: tuple[Subject, ...]) -> Iterator[Finding]:
    """An operator that is not ready, where pods lack a GPU and none of its parts says why."""
    for each in verdicts(case) if starved else ():
        if each.waits:
            yield Finding(
                "gpu-operator-not-ready",
                each.subject,
                Certainty.POSSIBLE if each.is_young else Certainty.CERTAIN,
                (each.evidence,),
                {"waits": each.waits, "namespace": each.namespace},
                (*starved, each.subject),
            )


def operator_ready(case: Case) -> Iterable[Result]:
    """Where nobody wants a GPU, an operator without GPU nodes is as it should be."""
    found = verdicts(case)
    wanted = bool(wanting(case))
    if not found:
        yield _none(case, wanted=wanted)
    for each in found:
        evidence = (each.evidence,)
        if each.is_ignored:
            yield Result(Status.WARN, each.text, each.subject, evidence)
        elif not each.waits:
            yield Result(Status.PASS, each.text, each.subject, evidence)
        elif wanted:
            status = Status.WARN if each.is_young else Status.FAIL
            yield Result(status, f"waits for {each.waits}", each.subject, evidence)
        else:
            reason = f"waits for {each.waits}; nobody here asks for a GPU"
            yield Result(Status.SKIP, reason, each.subject, evidence)


def _none(case: Case, *, wanted: bool) -> Result:
    missing = [BY_KIND[kind] for kind in KINDS if not case.snapshot.has(kind)]
    names = {denied.resource for denied in case.snapshot.info.collection.denied}
    refused = [each for each in missing if f"{each.plural}.{each.group}" in names]
    if wanted and refused:
        right = f"list {refused[0].plural}.{refused[0].group}"
        granting = rule(refused[0].group, [refused[0].plural], ["list"])
        needs = f"{right}; the rule that grants it: {granting}"
        return Result(Status.UNKNOWN, f"you may not {right}", needs=needs)
    if wanted and len(missing) == len(KINDS):
        return Result(Status.SKIP, "the snapshot does not hold the operators' own resources")
    return Result(Status.SKIP, "no GPU operator is installed; none is needed")


CHECKS = (
    Check(
        id="gpu-operator-ready",
        title="The GPU operator is ready and has GPU nodes",
        severity=Severity.WARNING,
        needs=(),
        run=operator_ready,
    ),
)
