"""What only a measurement can answer: latency, cold start, memory and CPU under load.

A snapshot holds no latency. These checks say so, and how to get it, instead of passing in silence;
memory and CPU are judged where the metrics API was there to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.model import (
    Case,
    Check,
    Evidence,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.snapshot.objects import PodMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView

CPU_LIMIT_REACHED = 95.0
"""Percent of the CPU limit above which the container is being throttled."""


class Use(NamedTuple):
    """What one container uses of one of its limits, in percent."""

    resource: str
    percent: float
    evidence: Evidence


def latency(case: Case) -> Iterable[Result]:
    threshold = f"{case.thresholds.max_latency * 1000:g} ms"
    return _unmeasured(
        case,
        f"inference latency has not been measured (wanted: below {threshold})",
        "a load test from inside the cluster: 95th percentile after a warm-up, at the rate you "
        "expect",
    )


def cold_start(case: Case) -> Iterable[Result]:
    threshold = f"{case.thresholds.max_cold_start * 1000:g} ms"
    return _unmeasured(
        case,
        f"the cold start has not been measured (wanted: below {threshold})",
        "many starts of the module on a node that has the image; events of a pod have a "
        "resolution of one second",
    )


def resource_use(case: Case) -> Iterable[Result]:
    return _judged(case, lambda use: use.percent > _highest(case, use.resource), "memory and CPU")


def memory_headroom(case: Case) -> Iterable[Result]:
    highest = case.thresholds.max_memory
    return _judged(
        case, lambda use: use.resource == "memory" and use.percent > highest, "memory", "memory"
    )


def cpu_headroom(case: Case) -> Iterable[Result]:
    return _judged(
        case, lambda use: use.resource == "cpu" and use.percent > CPU_LIMIT_REACHED, "CPU", "cpu"
    )


def _highest(case: Case, resource: str) -> float:
    return case.thresholds.max_memory if resource == "memory" else CPU_LIMIT_REACHED


def _unmeasured(case: Case, reason: str, needs: str) -> Iterator[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        yield Result(Status.UNKNOWN, reason, view.subject, needs=needs)


def _judged(
    case: Case, is_too_much: Callable[[Use], bool], what: str, only: str = ""
) -> Iterator[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        uses = [use for use in _uses(case, view) if only in ("", use.resource)]
        excess = [use for use in uses if is_too_much(use)]
        if not uses:
            yield Result(
                Status.UNKNOWN,
                f"nobody has measured {what}, or there is no limit to compare with",
                view.subject,
                needs="limits on the containers, and a metrics server: kubectl get "
                "pods.metrics.k8s.io -A -o json",
            )
        elif excess:
            worst = max(excess, key=lambda use: use.percent)
            evidence = tuple(use.evidence for use in excess[:3])
            yield Result(Status.WARN, worst.evidence.text, view.subject, evidence)
        else:
            worst = max(uses, key=lambda use: use.percent)
            yield Result(
                Status.PASS, f"at most {worst.evidence.text}", view.subject, (worst.evidence,)
            )


def _uses(case: Case, view: WorkloadView) -> Iterator[Use]:
    measured = {(m.namespace, m.name): m for m in case.snapshot.of("PodMetrics", PodMetrics)}
    for pod in view.pods:
        found = measured.get((pod.namespace, pod.name))
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
    Check("inference-latency", "Inference takes less than 50 ms", Severity.WARNING, (), latency),
    Check("cold-start", "A cold start takes less than 10 ms", Severity.WARNING, (), cold_start),
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
