"""GPU requests and what the nodes offer: which of the reasons of ``Insufficient …`` it is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kubectl_wasmai.checks import gpu_claims
from kubectl_wasmai.checks.gpu_components import all_ready, of_role
from kubectl_wasmai.checks.gpu_demand import Shortage, free, holders, offered, shortages
from kubectl_wasmai.checks.gpu_node import MIG_STATE
from kubectl_wasmai.checks.gpu_operator import component_findings
from kubectl_wasmai.checks.gpu_use import NOT_WANTED, wanting

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Detector,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.placement import selects, untolerated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Node, Pod

_CAUSES = {
    "absent": "gpu-resource-absent",
    "mismatch": "gpu-resource-name-mismatch",
    "too-large": "gpu-request-too-large",
    "exhausted": "gpu-exhausted",
}
REJECTED = "UnexpectedAdmissionError"
_ABSENT = ("absent", "unclear")


def unmet_requests(case: Case) -> Iterable[Finding]:
    lacking = shortages(case)
    blamed = {
        workload
        for each in component_findings(case)
        if each.certainty is not Certainty.POSSIBLE
        for workload in each.affected
    }
    for shortage in lacking:
        if shortage.kind == "sick" or (shortage.kind in _ABSENT and shortage.workload in blamed):
            continue
        if shortage.kind in ("absent", "mismatch") and _mig_failed(shortage):
            continue
        if shortage.kind == "unclear":
            yield from _any_of_them(case, shortage)
        else:
            yield _finding(case, shortage, _CAUSES[shortage.kind], _certainty(case, shortage))


def _any_of_them(case: Case, shortage: Shortage) -> Iterator[Finding]:
    """Without nodes nobody can tell them apart."""
    for cause in ("gpu-resource-absent", "gpu-exhausted", "gpu-request-too-large"):
        yield _finding(case, shortage, cause, Certainty.POSSIBLE)


def _mig_failed(shortage: Shortage) -> bool:
    failed = any(node.labels.get(MIG_STATE) == "failed" for node in shortage.nodes)
    return failed and shortage.vendor == "nvidia"


def _certainty(case: Case, shortage: Shortage) -> Certainty:
    """A plugin that is still starting may be about to offer what is missing."""
    if shortage.kind == "absent":
        plugins = [
            view
            for view in of_role(case, gpu.PLUGIN)
            if gpu.component_vendor(view) == shortage.vendor and view.pods
        ]
        if any(not all_ready(view) for view in plugins):
            return Certainty.POSSIBLE
    return Certainty.CERTAIN if shortage.sure else Certainty.LIKELY


def _finding(case: Case, shortage: Shortage, cause: str, certainty: Certainty) -> Finding:
    held_by = list(islice(holders(case, shortage), 5)) if cause == "gpu-exhausted" else []
    names = {
        "wanted": shortage.resource,
        "most": str(shortage.most),
        "offered": ", ".join(shortage.offered),
        "holders": "held by " + ", ".join(held_by) if held_by else "other pods hold all",
    }
    text = f"asks for {shortage.wanted} {shortage.resource}"
    text += f"; the nodes offer {names['offered']}" if shortage.offered else ""
    text += f"; the largest node has {shortage.most}" if shortage.most else ""
    evidence = (Evidence("spec", str(shortage.workload), text), shortage.waiting.evidence)
    return Finding(cause, shortage.workload, certainty, evidence, names)


def requests_fit(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        if gpu.requests(view.spec):
            yield _by_count(case, view)
        elif view.spec.resource_claims:
            yield from gpu_claims.results(case, view)
        else:
            yield Result(
                Status.WARN,
                "is meant to use a GPU, and asks for none: no node keeps one for it, and where "
                "it sees one (NVIDIA as the default runtime) others have it, too",
                view.subject,
            )


def _by_count(case: Case, view: WorkloadView) -> Result:
    words = ", ".join(f"{count} {name}" for name, count in gpu.requests(view.spec).items())
    lacking = _lacking(case).get(view.subject)
    if lacking:
        reason = f"no node has {lacking.wanted} {lacking.resource} for it"
        return Result(Status.FAIL, reason, view.subject, (lacking.waiting.evidence,))
    rejected = next((pod for pod in view.pods if pod.status.reason == REJECTED), None)
    if rejected:
        return _of_rejected(case, view, rejected)
    if any(gpu.granted(pod) for pod in view.pods):
        return Result(Status.PASS, f"{words} granted", view.subject)
    predictions = [_predict(case, view, *asked) for asked in gpu.requests(view.spec).items()]
    return next((each for each in predictions if each.status is not Status.PASS), predictions[0])


@once_per_case
def _lacking(case: Case) -> dict[Subject, Shortage]:
    """The first shortage of each workload."""
    return {each.workload: each for each in reversed(shortages(case))}


def _of_rejected(case: Case, view: WorkloadView, pod: Pod) -> Result:
    """After a reboot pods come back before the device plugin does: that has passed where the
    kubelet runs newer ones."""
    made = pod.metadata.creation_timestamp
    newer = [
        other.name
        for other in case.snapshot.pods_by_node.get(pod.spec.node_name or "", ())
        if gpu.granted(other)
        and other.status.phase == "Running"
        and made is not None
        and (other.metadata.creation_timestamp or made) > made
    ]
    said = pod.status.message or REJECTED
    about = str(Subject("Pod", pod.namespace, pod.name))
    evidence = (Evidence("status", about, said),)
    if newer:
        reason = f"rejected by {pod.spec.node_name}, which runs {newer[0]} since: delete the pod"
        return Result(Status.WARN, reason, view.subject, evidence)
    return Result(Status.FAIL, said, view.subject, evidence)


def _predict(case: Case, view: WorkloadView, resource: str, wanted: int) -> Result:
    """Before any pod has been judged: which obstacle would be the first?"""
    nodes = case.snapshot.nodes
    most = max((offered(case, node, resource) for node in nodes), default=0)
    if most < wanted:
        has = f"the largest node has {most}" if most else "no node has any"
        reason = f"will wait: asks for {wanted} {resource}, {has}"
        return Result(Status.FAIL, reason, view.subject)
    able = [node for node in nodes if offered(case, node, resource) >= wanted]
    obstacle = _obstacle(view, able)
    if obstacle:
        return Result(Status.WARN, f"may wait: {obstacle}", view.subject)
    open_ = [node for node in able if selects(view.spec, node)]
    roomy = [node for node in open_ if free(case, node, resource) >= wanted]
    if not roomy:
        reason = f"will wait: all {resource} of {open_[0].name} are taken"
        return Result(Status.WARN, reason, view.subject)
    left = free(case, roomy[0], resource)
    return Result(Status.PASS, f"{roomy[0].name} has {left} {resource} free", view.subject)


def _obstacle(view: WorkloadView, able: list[Node]) -> str:
    """What keeps the pods from all nodes that have enough. Some clusters add tolerations to pods
    that ask for a GPU, so a taint need not hold."""
    matching = [node for node in able if selects(view.spec, node)]
    if not matching:
        return f"its selector or affinity leaves out {able[0].name}, which has the GPUs"
    taints = [untolerated(view.spec, node) for node in matching]
    if all(taints):
        return f"it does not tolerate {taints[0][0].key}:{taints[0][0].effect} of {able[0].name}"
    if all(node.spec.unschedulable for node in matching):
        return f"{matching[0].name} is cordoned"
    return ""


CHECKS = (
    Check(
        id="gpu-request-satisfiable",
        title="GPU requests fit a node",
        severity=Severity.ERROR,
        needs=("Node", "Pod"),
        run=requests_fit,
    ),
)
DETECTORS = (Detector(tuple(_CAUSES.values()), ("Pod",), unmet_requests),)
