"""Autoscalers and the metrics they live on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import unseen
from kubectl_wasmai.doctor.health import condition, is_ready
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
from kubectl_wasmai.snapshot.objects import APIService, HorizontalPodAutoscaler, PodMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Condition, Pod

SETTLED = timedelta(minutes=3)
"""A metrics server scrapes once a minute at worst; a new pod has no figures before."""
_NO_API = re.compile(
    r"the server could not find the requested resource|currently unable to handle the request"
    r"|no matches for kind|unable to fetch metrics from resource metrics API: the server"
)
_NO_FIGURES = re.compile(
    r"no metrics returned from resource metrics API|did not receive metrics for (?:any|targeted)"
)


def metrics_api(case: Case) -> bool | None:
    """Whether the resource metrics API is served; ``None`` where nobody can tell."""
    if case.snapshot.of("PodMetrics", PodMetrics):
        return True
    if not case.snapshot.has("APIService"):
        return None
    for each in case.snapshot.of("APIService", APIService):
        if each.name.endswith(".metrics.k8s.io") and not each.name.startswith(
            ("v1beta1.custom", "v1beta2.custom", "v1beta1.external")
        ):
            available = [c for c in each.status.conditions or () if c.type == "Available"]
            return all(c.status == "True" for c in available)
    return False


def without_api(case: Case) -> Iterator[Finding]:
    for scaler, view, inactive in _scalers(case):
        text = (inactive.message if inactive else "") or ""
        if inactive is None or not _NO_API.search(text) or metrics_api(case):
            continue
        subject = Subject("HorizontalPodAutoscaler", scaler.namespace, scaler.name)
        evidence = Evidence("status", str(subject), text, inactive.last_transition_time)
        yield Finding(
            "metrics-api-missing", subject, Certainty.CERTAIN, (evidence,), {}, (view.subject,)
        )


def _scalers(
    case: Case,
) -> Iterator[tuple[HorizontalPodAutoscaler, WorkloadView, Condition | None]]:
    """Autoscalers of workloads of interest, and why they do not scale if they do not."""
    views = {view.subject: view for view in case.workloads}
    for scaler in case.snapshot.of("HorizontalPodAutoscaler", HorizontalPodAutoscaler):
        target = scaler.spec.scale_target_ref
        view = views.get(Subject(target.kind, scaler.namespace, target.name))
        if view is not None:
            conditions = scaler.status.conditions or ()
            active = [c for c in conditions if c.type == "ScalingActive" and c.status == "False"]
            yield scaler, view, active[0] if active else None


def without_figures(case: Case) -> Iterator[Finding]:
    """Ready long enough, and still nobody measures them, while others are measured."""
    measured = {(m.namespace, m.name): m for m in case.snapshot.of("PodMetrics", PodMetrics)}
    reported = {view.subject: c for _, view, c in _scalers(case) if c is not None}
    for view in case.workloads:
        settled = [pod for pod in view.pods if _is_settled(case, pod)]
        gaps = [pod for pod in settled if not _has_figures(measured, pod)]
        if measured and gaps and len(gaps) == len(settled):
            name = Subject("Pod", gaps[0].namespace, gaps[0].name)
            text = f"no figures, while {len(measured)} other pods have some"
            yield _unmeasured(view, Evidence("status", str(name), text))
        said = reported.get(view.subject)
        silent = not measured and settled and metrics_api(case)
        if silent and said and _NO_FIGURES.search(said.message or ""):
            time = said.last_transition_time
            yield _unmeasured(view, Evidence("status", str(view.subject), said.message or "", time))


def _has_figures(measured: dict[tuple[str, str], PodMetrics], pod: Pod) -> bool:
    found = measured.get((pod.namespace, pod.name))
    return found is not None and any(each.usage for each in found.containers or ())


def _unmeasured(view: WorkloadView, evidence: Evidence) -> Finding:
    return Finding("pod-metrics-missing", view.subject, Certainty.LIKELY, (evidence,))


def _is_settled(case: Case, pod: Pod) -> bool:
    ready = condition(pod, "Ready")
    since = ready.last_transition_time if ready and is_ready(pod) else None
    return since is not None and case.snapshot.info.taken_at - since >= SETTLED


def scalers_work(case: Case) -> Iterable[Result]:
    found = list(_scalers(case))
    if not found:
        yield Result(Status.SKIP, "no workload here has an autoscaler")
    wrong = {finding.subject for finding in without_api(case)}
    for scaler, view, inactive in found:
        subject = Subject("HorizontalPodAutoscaler", scaler.namespace, scaler.name)
        if inactive is None:
            yield Result(Status.PASS, f"{subject} gets its metrics", view.subject)
            continue
        status = Status.FAIL if subject in wrong else Status.WARN
        evidence = Evidence("status", str(subject), inactive.message or inactive.reason or "")
        yield Result(status, f"{subject} does not scale", view.subject, (evidence,))


def metrics_collected(case: Case) -> Iterable[Result]:
    served = metrics_api(case)
    if served is None:
        yield unseen(case.snapshot, ("APIService",))
    elif not served:
        yield Result(Status.WARN, "no metrics API: nobody measures the pods' CPU and memory")
    gaps = {finding.subject: finding for finding in without_figures(case)}
    for view in case.workloads if served else ():
        gap = gaps.get(view.subject)
        if gap is not None:
            yield Result(Status.FAIL, gap.evidence[0].text, view.subject, gap.evidence)
        else:
            yield Result(Status.PASS, "the metrics API is served", view.subject)
    if served and not case.workloads:
        yield Result(Status.PASS, "the metrics API is served")


CHECKS = (
    Check(
        id="metrics-collected",
        title="Metrics are collected",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=metrics_collected,
    ),
    Check(
        id="autoscaler-works",
        title="Autoscalers get the metrics they need",
        severity=Severity.WARNING,
        needs=("HorizontalPodAutoscaler",),
        run=scalers_work,
    ),
)
DETECTORS = (
    Detector(("metrics-api-missing",), ("HorizontalPodAutoscaler",), without_api),
    Detector(("pod-metrics-missing",), ("Pod",), without_figures),
)
