"""The namespace's rules: quota, disruption budgets, Pod Security."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
from kubectl_wasmai.doctor.placement import fits
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.doctor.symptoms import symptoms
from kubectl_wasmai.snapshot.objects import Namespace, PodDisruptionBudget, ResourceQuota

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import LabelSelector, Pod

FULL = 0.9
ENFORCE = "pod-security.kubernetes.io/enforce"
_VIOLATES = re.compile(r"violates PodSecurity")


def quota_headroom(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    quotas = case.snapshot.of("ResourceQuota", ResourceQuota)
    for view in case.workloads:
        own = [quota for quota in quotas if quota.namespace == view.subject.namespace]
        full = [evidence for quota in own for evidence in _full(quota)]
        if not own:
            yield Result(Status.SKIP, "the namespace has no ResourceQuota", view.subject)
        elif full:
            yield Result(Status.WARN, full[0].text, view.subject, tuple(full[:3]))
        else:
            yield Result(Status.PASS, "the namespace's quota has room", view.subject)


def _full(quota: ResourceQuota) -> Iterator[Evidence]:
    used = quota.status.used or {}
    for name, hard in (quota.status.hard or {}).items():
        taken = used.get(name, 0)
        if amount(taken) >= FULL * amount(hard):
            subject = Subject("ResourceQuota", quota.namespace, quota.name)
            yield Evidence("status", str(subject), f"{name}: {taken} of {hard} are used")


def disruption_allowed(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    budgets = case.snapshot.of("PodDisruptionBudget", PodDisruptionBudget)
    for view in case.workloads:
        own = [budget for budget in budgets if any(_covers(budget, pod) for pod in view.pods)]
        stuck = [b for b in own if b.status.expected_pods and not b.status.disruptions_allowed]
        if stuck:
            subject = Subject("PodDisruptionBudget", stuck[0].namespace, stuck[0].name)
            yield Result(Status.WARN, f"{subject} allows no eviction: nodes cannot be drained",
                         view.subject)  # fmt: skip
        elif own:
            yield Result(Status.PASS, "its disruption budget allows evictions", view.subject)
        else:
            yield Result(Status.SKIP, "no disruption budget covers it", view.subject)


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    selector = budget.spec.selector
    if selector is None or budget.namespace != pod.namespace:
        return False
    return _matches(selector, pod.labels)


def _matches(selector: LabelSelector, labels: dict[str, str]) -> bool:
    wanted = selector.match_labels or {}
    return wanted.items() <= labels.items() and all(
        fits(term, labels) for term in selector.match_expressions or ()
    )


def pod_security(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    levels = {n.name: n.labels.get(ENFORCE) for n in case.snapshot.of("Namespace", Namespace)}
    refused: dict[Subject, Evidence] = {}
    for symptom in symptoms(case):
        if _VIOLATES.search(symptom.text):
            refused[symptom.view.subject] = symptom.evidence(symptom.text)
    for view in case.workloads:
        yield _secure(view, refused.get(view.subject), levels.get(view.subject.namespace))


def _secure(view: WorkloadView, refused: Evidence | None, level: str | None) -> Result:
    if refused is not None:
        return Result(Status.FAIL, "Pod Security refuses the pods", view.subject, (refused,))
    if level is None:
        return Result(Status.SKIP, "the namespace enforces no Pod Security level", view.subject)
    return Result(Status.PASS, f"the pods satisfy level {level}", view.subject)


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
    Check(
        "pod-security-allows",
        "Pod Security lets the pods in",
        Severity.ERROR,
        ("Namespace", "Pod"),
        pod_security,
    ),
)
