"""What is used of what is granted: memory and CPU, best looked at under load.

Memory and CPU are judged where the metrics API was there to ask; without a measurement these
checks say how to get one, instead of passing in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.answers import NO_WORKLOAD, unseen
from kubectl_wasmai.doctor.model import (
    Case,
    Check,
    Evidence,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.snapshot.objects import PodMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView

CPU_LIMIT_REACHED = 95.0
"""Percent of the CPU limit above which the container is being throttled."""


class Use(NamedTuple):
    """What one container uses of one of its limits, in percent."""

    resource: str
    percent: float
    evidence: Evidence


def resource_use(case: Case) -> Iterable[Result]:
    return _judged(case, "memory and CPU", ("memory", "cpu"))


def memory_headroom(case: Case) -> Iterable[Result]:
    return _judged(case, "memory", ("memory",))


def cpu_headroom(case: Case) -> Iterable[Result]:
    return _judged(case, "CPU", ("cpu",))


def _most(case: Case, use: Use) -> float:
    return case.thresholds.max_memory if use.resource == "memory" else CPU_LIMIT_REACHED


def _judged(case: Case, what: str, resources: tuple[str, ...]) -> Iterator[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        uses = [use for use in _uses(case, view) if use.resource in resources]
        excess = [use for use in uses if use.percent > _most(case, use)]
        if not uses:
            yield _unmeasured(case, view, what)
            continue
        worst = max(excess or uses, key=lambda use: use.percent)
        text = f"{worst.evidence.text}; allowed: {_most(case, worst):g} %"
        status, shown = (Status.WARN, excess) if excess else (Status.PASS, [worst])
        yield Result(status, text, view.subject, tuple(use.evidence for use in shown[:3]))


def _unmeasured(case: Case, view: WorkloadView, what: str) -> Result:
    if not case.snapshot.has("PodMetrics"):
        return unseen(case.snapshot, ("PodMetrics",), view.subject)
    if "PodMetrics" in case.snapshot.info.collection.unserved:
        needs = "a metrics server in the cluster"
        return Result(Status.UNKNOWN, "no metrics API is served", view.subject, needs=needs)
    limits = [c.name for c in view.containers if not c.resources.limits]
    reason = f"nobody has measured its {what}"
    if limits:
        reason = f"{limits[0]} has no limit to compare its {what} with"
    return Result(
        Status.UNKNOWN,
        reason,
        view.subject,
        needs="limits on the containers, and figures of its pods: kubectl top pod --containers",
    )


@once_per_case
def _measured(case: Case) -> dict[tuple[str, str], PodMetrics]:
    """By namespace and name of the pod."""
    return {(m.namespace, m.name): m for m in case.snapshot.of("PodMetrics", PodMetrics)}


def _uses(case: Case, view: WorkloadView) -> Iterator[Use]:
    for pod in view.pods:
        found = _measured(case).get((pod.namespace, pod.name))
        limits = {c.name: c.resources.limits or {} for c in pod.spec.containers or ()}
        for each in (found.containers if found else None) or ():
            for resource, limit in limits.get(each.name, {}).items():
                used = (each.usage or {}).get(resource)
                if used is None or not amount(limit) or resource not in ("cpu", "memory"):
                    continue
                percent = 100 * amount(used) / amount(limit)
                name = f"{Subject('Pod', pod.namespace, pod.name)} [{each.name}]"
                text = f"{percent:.0f} % of its {resource} limit ({used} of {limit})"
                yield Use(resource, percent, Evidence("status", name, text))


CHECKS = (
    Check(
        "resource-use-reasonable",
        "Resource use is reasonable",
        Severity.WARNING,
        ("Pod",),
        resource_use,
    ),
    Check(
        "memory-headroom",
        "Memory stays below 80 % of the limit",
        Severity.WARNING,
        ("Pod",),
        memory_headroom,
    ),
    Check(
        "cpu-headroom", "CPU use stays below the limit", Severity.WARNING, ("Pod",), cpu_headroom
    ),
)
