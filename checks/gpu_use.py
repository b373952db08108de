"""Is the GPU that was granted used, and how much?

llama.cpp falls back to the CPU without a word, so a grant proves nothing. A program that has its
model in the GPU says so in its log, or holds memory there. How busy the GPU is means something
only under load: at rest a healthy GPU does nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_metrics import USED, Gpu, of_workload, unread

from kubectl_wasmai.doctor.health import is_ready
from kubectl_wasmai.doctor.interest import wants_gpu
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status, Subject
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.symptoms import log_evidence
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView

NOT_WANTED = "no workload here asks for a GPU"
CONTEXT = 600.0
"""MiB that a CUDA context and its libraries take before there is any model."""
IDLE = 5.0
"""Percent up to which a GPU is at rest: monitors and displays wake it now and then."""

_IN_USE = re.compile(
    r"found \d+ (?:CUDA|ROCm|SYCL) devices|offloaded [1-9]\d*/\d+ layers to GPU"
    r"|using device CUDA\d|CUDA\d+ (?:model|compute) buffer size"
)


@once_per_case
def wanting(case: Case) -> tuple[WorkloadView, ...]:
    return tuple(view for view in case.workloads if wants_gpu(case.snapshot, view))


def in_use(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        yield _by_log(case, view) or _by_memory(case, view)


def _by_log(case: Case, view: WorkloadView) -> Result | None:
    for pod in view.pods:
        for container in pod.spec.containers or ():
            log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name), "")
            lines = [line for line in log.splitlines() if _IN_USE.search(line)]
            if lines:
                about = f"{Subject('Pod', pod.namespace, pod.name)} [{container.name}]"
                evidence = (log_evidence(about, lines[-1]),)
                return Result(Status.PASS, "the log tells of the GPU", view.subject, evidence)
    return None


def _by_memory(case: Case, view: WorkloadView) -> Result:
    """Memory of a GPU that nobody else holds is this program's."""
    used = [(each, each.values[USED]) for each in of_workload(case, view) if USED in each.values]
    if not used:
        return _unmeasured(
            case, view, "nothing seen tells whether the GPU is used",
            "a log line such as `offloaded 33/33 layers to GPU`, or nvidia-smi on the node under "
            "load",
        )  # fmt: skip
    most, amount = max(used, key=lambda pair: pair[1])
    evidence = (most.evidence(f"{amount:.0f} MiB of its memory are used"),)
    if amount > CONTEXT:
        return Result(Status.PASS, evidence[0].text, view.subject, evidence)
    if not any(is_ready(pod) for pod in view.pods):
        reason = f"{evidence[0].text}; the pods are not ready yet"
        return Result(Status.UNKNOWN, reason, view.subject, evidence, needs="a pod that is ready")
    reason = f"{evidence[0].text}: no model is in it, so it seems to run on the CPU"
    return Result(Status.WARN, reason, view.subject, evidence)


def _unmeasured(case: Case, view: WorkloadView, reason: str, otherwise: str) -> Result:
    """The missing right, the exporter that did not answer, or what would measure."""
    lacking = unread(case)
    if lacking:
        return Result(Status.UNKNOWN, f"{reason}: no metrics", view.subject, needs=lacking)
    return Result(Status.UNKNOWN, reason, view.subject, needs=otherwise)


def busy(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        yield _busy(case, view)


def _busy(case: Case, view: WorkloadView) -> Result:
    least = case.thresholds.min_gpu_utilization
    seen = [(each, each.busy) for each in of_workload(case, view) if each.busy is not None]
    if not seen:
        return _unmeasured(
            case, view,
            f"the GPU's load has not been measured (wanted: above {least:g} % under load)",
            "DCGM_FI_DEV_GPU_UTIL of the DCGM exporter (of a MIG slice "
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE), or nvidia-smi dmon on the node, while requests are "
            "being served",
        )  # fmt: skip
    percent = sum(value or 0 for _, value in seen) / len(seen)
    evidence = tuple(each.evidence(f"{value:.0f} % busy") for each, value in seen[:3])
    return _judged(view, percent, least, seen[0][0], evidence)


def _judged(
    view: WorkloadView, percent: float, least: float, first: Gpu, evidence: tuple[Evidence, ...]
) -> Result:
    if percent > least:
        return Result(Status.PASS, f"{percent:.0f} % busy now", view.subject, evidence)
    if percent <= IDLE:
        reason = f"{first.name} is at rest now: only under load does its use mean anything"
        return Result(Status.SKIP, reason, view.subject, evidence)
    reason = f"{percent:.0f} % busy now, wanted above {least:g} % under load"
    return Result(Status.WARN, reason, view.subject, evidence)


CHECKS = (
    Check(
        id="gpu-in-use",
        title="The GPU is in use",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=in_use,
    ),
    Check("gpu-busy", "The GPU is more than 50 % busy under load", Severity.WARNING, (), busy),
)
