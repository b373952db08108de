"""The rest of a GPU installation: driver, toolkit, validator, exporter, the operator itself.

NVIDIA's operator brings its layers up one after another; a later one waits in an init container
for the earlier (``driver-validation``, ``toolkit-validation``, …), so the name of the container
that waits tells which layer is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks import gpu_operator_status
from kubectl_wasmai.checks.gpu_components import crash, is_young, of_role, roots, said, stuck
from kubectl_wasmai.checks.gpu_demand import shortages
from kubectl_wasmai.checks.gpu_plugin import blaming, plugin_findings, suffers

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.health import is_leaving
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Detector,
    Evidence,
    Finding,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot import WorkloadView

UPGRADE_STATE = "nvidia.com/gpu-driver-upgrade-state"
# Whose crash means what, where no text says more.
_BY_ROLE = {
    gpu.DRIVER: ("gpu-driver-not-loaded", Certainty.LIKELY),
    gpu.EXPORTER: ("dcgm-exporter-down", Certainty.CERTAIN),
    gpu.TOOLKIT: ("gpu-operator-not-ready", Certainty.CERTAIN),
    gpu.VALIDATOR: ("gpu-operator-not-ready", Certainty.CERTAIN),
    gpu.OPERATOR: ("gpu-operator-not-ready", Certainty.CERTAIN),
    gpu.OPERAND: ("gpu-operator-not-ready", Certainty.LIKELY),
    gpu.DRA: ("gpu-operator-not-ready", Certainty.LIKELY),
}
_WAITING_FIRST = (gpu.VALIDATOR, gpu.TOOLKIT, gpu.PLUGIN)


@once_per_case
def component_findings(case: Case) -> tuple[Finding, ...]:
    """What is wrong with all that offers GPUs: root causes only."""
    lacking = shortages(case)
    starved = tuple(sorted({each.workload for each in lacking if suffers(each)}))
    others = [view for view in case.components if gpu.role(view) != gpu.PLUGIN]
    found = [each for view in others for each in _of_view(case, view, starved)]
    found += plugin_findings(case, lacking)
    found += _waiting(case, starved)
    found += _failed_upgrade(case)
    # What an operator says of itself is less than what its parts say.
    return tuple(roots(found)) or tuple(gpu_operator_status.findings(case, starved))


def _of_view(case: Case, view: WorkloadView, starved: tuple[Subject, ...]) -> Iterator[Finding]:
    """An exporter only measures; without any other part nobody gets a GPU."""
    blamed = () if gpu.role(view) == gpu.EXPORTER else starved
    told = said(case, view)
    for each in told:
        yield blaming(each, blamed)
    crashes = [found for pod in view.pods if (found := crash(case.snapshot, pod))]
    if crashes and not told:
        cause, certainty = _BY_ROLE[gpu.role(view)]
        names = {"waits": gpu.role(view), "error": crashes[0].text}
        crashing = Finding(cause, view.subject, certainty, tuple(crashes[:3]), names)
        yield blaming(crashing, blamed)


def _waiting(case: Case, starved: tuple[Subject, ...]) -> Iterator[Finding]:
    """One finding for all that wait: on the validator, if it does, since it tests the layers."""
    waits: dict[str, tuple[WorkloadView, Evidence, str]] = {}
    for view in case.components:
        for pod in view.pods:
            name = "" if is_leaving(pod) else stuck(pod)
            if name and (starved or not is_young(case.snapshot, pod)):
                about = str(Subject("Pod", pod.namespace, pod.name))
                evidence = Evidence("status", about, f"waits in init container {name}")
                waits.setdefault(gpu.role(view), (view, evidence, name))
    if not waits:
        return
    chosen = next((role for role in _WAITING_FIRST if role in waits), next(iter(waits)))
    view, _, name = waits[chosen]
    seen = tuple(each for _, each, _ in waits.values())
    stuck_too = [each.subject for each, _, _ in waits.values()]
    workloads = tuple(dict.fromkeys((*starved, view.subject, *stuck_too)))
    yield Finding(
        "gpu-operator-not-ready",
        view.subject,
        Certainty.CERTAIN,
        seen,
        {"waits": name.removesuffix("-validation")},
        workloads,
    )


def _failed_upgrade(case: Case) -> Iterator[Finding]:
    nodes = [n for n in case.snapshot.nodes if n.labels.get(UPGRADE_STATE) == "upgrade-failed"]
    for node in nodes:
        views = [*of_role(case, gpu.DRIVER), *of_role(case, gpu.OPERATOR)]
        subject = views[0].subject if views else Subject("Node", "", node.name)
        text = f"label {UPGRADE_STATE}=upgrade-failed"
        evidence = Evidence("status", f"Node {node.name}", text)
        names = {"waits": "the driver's upgrade", "node": node.name}
        yield Finding("gpu-operator-not-ready", subject, Certainty.CERTAIN, (evidence,), names)


DETECTORS = (
    Detector(
        (
            "device-plugin-not-scheduled",
            "device-plugin-no-driver-library",
            "device-plugin-no-devices",
            "device-plugin-crashing",
            "gpu-operator-not-ready",
            "gpu-driver-not-loaded",
            "dcgm-exporter-down",
        ),
        ("Pod",),
        component_findings,
    ),
)
