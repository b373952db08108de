"""The namespace's rules: quota and disruption budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.limit_range import defaults

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
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.placement import fits
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.snapshot.objects import PodDisruptionBudget, ResourceQuota

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import LabelSelector, Pod

FULL = 0.9


def quota_headroom(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        own = _quotas(case).get(view.subject.namespace, ())
        full = [evidence for quota in own for evidence in _short(case, quota, view)]
        if not own:
            yield Result(Status.SKIP, "the namespace has no ResourceQuota", view.subject)
        elif full:
            yield Result(Status.WARN, full[0].text, view.subject, tuple(full[:3]))
        else:
            yield Result(Status.PASS, "the namespace's quota has room", view.subject)


@once_per_case
def _quotas(case: Case) -> dict[str, list[ResourceQuota]]:
    """By namespace."""
    found: dict[str, list[ResourceQuota]] = {}
    for quota in case.snapshot.of("ResourceQuota", ResourceQuota):
        found.setdefault(quota.namespace, []).append(quota)
    return found


def _short(case: Case, quota: ResourceQuota, view: WorkloadView) -> Iterator[Evidence]:
    """What is nearly used up, less than one more pod asks for, or wanted and not stated."""
    used = quota.status.used or {}
    asked = _asked(view)
    subject = str(Subject("ResourceQuota", quota.namespace, quota.name))
    for name, hard in (quota.status.hard or {}).items():
        taken = used.get(name, 0)
        if not amount(hard) and not asked.get(name):
            continue  # forbidden, and not wanted
        text = f"{name}: {taken} of {hard} are used"
        if amount(taken) >= FULL * amount(hard):
            yield Evidence("status", subject, text)
        elif amount(taken) + asked.get(name, 0) > amount(hard):
            yield Evidence("status", subject, f"{text}, and one more pod of it does not fit")
        for container in _silent(case, view, name):
            unstated = f"{name} must be stated, and {container} has none"
            yield Evidence("spec", str(view.subject), unstated)


def _silent(case: Case, view: WorkloadView, name: str) -> Iterator[str]:
    """Containers without an amount that a quota on ``name`` makes obligatory."""
    kind, _, resource = name.rpartition(".")
    if resource not in ("cpu", "memory") or kind not in ("", "requests", "limits"):
        return
    requests, limits = defaults(case, view.subject.namespace)
    for container in view.containers:
        own = container.resources
        stated = {**limits, **(own.limits or {})}
        if kind != "limits":
            stated |= {**requests, **(own.requests or {})}
        if resource not in stated:
            yield container.name


def _asked(view: WorkloadView) -> dict[str, float]:
    """What one pod counts, by the names that quotas use."""
    asked: dict[str, float] = {"pods": 1, "count/pods": 1}
    for container in view.containers:
        resources = container.resources
        # A limit without a request sets the request, too.
        for kind, amounts in (
            ("requests", {**(resources.limits or {}), **(resources.requests or {})}),
            ("limits", resources.limits or {}),
        ):
            for name, value in amounts.items():
                keys = [f"{kind}.{name}", *([name] if kind == "requests" else [])]
                for key in keys:
                    asked[key] = asked.get(key, 0) + amount(value)
    return asked


def disruption_allowed(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        found = {id(each): each for pod in view.pods for each in _covering(case, pod)}
        own = list(found.values())
        stuck = [b for b in own if b.status.expected_pods and not b.status.disruptions_allowed]
        if stuck:
            subject = Subject("PodDisruptionBudget", stuck[0].namespace, stuck[0].name)
            yield Result(Status.WARN, f"{subject} allows no eviction: nodes cannot be drained",
                         view.subject)  # fmt: skip
        elif own:
            yield Result(Status.PASS, "its disruption budget allows evictions", view.subject)
        else:
            yield Result(Status.SKIP, "no disruption budget covers it", view.subject)


_Label = tuple[str, str]


def _covering(case: Case, pod: Pod) -> Iterator[PodDisruptionBudget]:
    known = _budgets(case)
    for label in (None, *pod.labels.items()):
        for each in known.get((pod.namespace, label), ()):
            if each.spec.selector and _matches(each.spec.selector, pod.labels):
                yield each


@once_per_case
def _budgets(case: Case) -> dict[tuple[str, _Label | None], list[PodDisruptionBudget]]:
    """By namespace and one of the labels that each wants; a thousand teams share a cluster."""
    found: dict[tuple[str, _Label | None], list[PodDisruptionBudget]] = {}
    for each in case.snapshot.of("PodDisruptionBudget", PodDisruptionBudget):
        wanted = (each.spec.selector.match_labels if each.spec.selector else None) or {}
        label = next(iter(sorted(wanted.items())), None)
        found.setdefault((each.namespace, label), []).append(each)
    return found


def _matches(selector: LabelSelector, labels: dict[str, str]) -> bool:
    wanted = selector.match_labels or {}
    return wanted.items() <= labels.items() and all(
        fits(term, labels) for term in selector.match_expressions or ()
    )


CHECKS = (
    Check(
        "quota-headroom",
        "The namespace's quota has room",
        Severity.WARNING,
        ("ResourceQuota",),
        quota_headroom,
    ),
    Check(
        "disruption-allowed",
        "Disruption budgets allow an eviction",
        Severity.WARNING,
        ("PodDisruptionBudget", "Pod"),
        disruption_allowed,
    ),
)
