"""GPU requests and what the nodes offer: which of the reasons of ``Insufficient …`` it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import all_ready, of_role
from kubectl_wasmai.checks.gpu_demand import Shortage, holders, shortages
from kubectl_wasmai.checks.gpu_node import MIG_STATE
from kubectl_wasmai.checks.gpu_operator import component_findings

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CAUSES = {
    "absent": "gpu-resource-absent",
    "mismatch": "gpu-resource-name-mismatch",
    "too-large": "gpu-request-too-large",
    "exhausted": "gpu-exhausted",
}
_ABSENT = ("absent", "unclear")


def unmet_requests(case: Case) -> Iterable[Finding]:
    lacking = shortages(case)
    components = component_findings(case, lacking) if lacking else []
    blamed = {workload for each in components for workload in each.affected}
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
    held_by = holders(case, shortage) if cause == "gpu-exhausted" else ()
    names = {
        "wanted": shortage.resource,
        "most": str(shortage.most),
        "offered": ", ".join(shortage.offered),
        "holders": "held by " + ", ".join(held_by[:5]) if held_by else "other pods hold all",
    }
    text = f"asks for {shortage.wanted} {shortage.resource}"
    text += f"; the nodes offer {names['offered']}" if shortage.offered else ""
    text += f"; the largest node has {shortage.most}" if shortage.most else ""
    evidence = (Evidence("spec", str(shortage.workload), text), shortage.waiting.evidence)
    return Finding(cause, shortage.workload, certainty, evidence, names)


DETECTORS = (Detector(tuple(_CAUSES.values()), ("Pod",), unmet_requests),)
