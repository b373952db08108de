"""Pods: do they run, with sensible requests and limits?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.limit_range import Amounts, defaults

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.health import (
    condition,
    container_statuses,
    is_finished,
    is_leaving,
    is_ready,
)
from kubectl_wasmai.doctor.model import (
    Case,
    Check,
    Evidence,
    Result,
    Severity,
    Status,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, ObjectMeta, Pod

STARTING = timedelta(seconds=30)
"""How long a pod may be on its way without being called broken."""

HOPELESS = ("Err", "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "CreateContainer")
"""Beginnings of waiting reasons that time alone does not cure."""


def pods_run(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        yield _workload_runs(case.snapshot, view)


def _workload_runs(snapshot: ClusterSnapshot, view: WorkloadView) -> Result:
    pods = [pod for pod in view.pods if not is_leaving(pod)]
    if not pods:
        return _without_pods(snapshot, view)
    troubles = [(pod, trouble) for pod in pods if (trouble := _trouble(pod))]
    starting = [pod for pod, trouble in troubles if _is_starting(snapshot, pod, trouble)]
    if not troubles and view.refused:
        return _without_pods(snapshot, view)
    if not troubles:
        done = sum(is_finished(pod) for pod in pods)
        ready = len(pods) - done
        words = [f"{ready} ready" if ready else "", f"{done} completed" if done else ""]
        return Result(Status.PASS, ", ".join(filter(None, words)), view.subject)
    evidence = tuple(
        Evidence("status", str(Subject("Pod", pod.namespace, pod.name)), trouble)
        for pod, trouble in troubles[:3]
    )
    reason = f"{len(troubles)} of {max(len(pods), view.desired)} pods not ready: {troubles[0][1]}"
    status = Status.WARN if len(starting) == len(troubles) else Status.FAIL
    return Result(status, reason, view.subject, evidence)


def _without_pods(snapshot: ClusterSnapshot, view: WorkloadView) -> Result:
    if not view.desired:
        return Result(Status.SKIP, "scaled to zero", view.subject)
    refusals = [
        event
        for subject in view.controllers
        for event in snapshot.events_of(*subject)
        if event.reason == "FailedCreate"
    ]
    if not refusals:
        status = Status.WARN if _is_young(snapshot, view.metadata) else Status.FAIL
        return Result(status, f"{view.refused} of {view.desired} pods missing", view.subject)
    last = refusals[-1]
    text = last.message or ""
    about = last.involved_object
    evidence = Evidence(
        "event", f"{about.kind} {about.namespace}/{about.name}", text, last.last_seen
    )
    reason = f"{view.refused} of {view.desired} pods could not be created"
    return Result(Status.FAIL, reason, view.subject, (evidence,))


def _trouble(pod: Pod) -> str:
    """Why the pod is not doing its work, in a few words; empty when it is."""
    if is_ready(pod) or is_finished(pod):
        return ""
    for status in container_statuses(pod):
        if status.state.waiting and status.state.waiting.reason:
            return status.state.waiting.reason
        end = status.state.terminated
        if end and not status.ready:
            return f"{end.reason or 'terminated'}, exit code {end.exit_code}"
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.status == "False":
        return f"{scheduled.reason or 'unscheduled'}: {scheduled.message or ''}".rstrip(": ")
    ready = condition(pod, "Ready")
    return (ready and ready.reason) or pod.status.phase or "no status yet"


def _is_starting(snapshot: ClusterSnapshot, pod: Pod, trouble: str) -> bool:
    """Young, never restarted, and waiting for nothing that has already failed."""
    if not _is_young(snapshot, pod.metadata):
        return False
    if trouble.startswith((*HOPELESS, "Unschedulable")):
        return False
    if any(status.restart_count or status.state.terminated for status in container_statuses(pod)):
        return False
    events = snapshot.events_of("Pod", pod.namespace, pod.name)
    return not any(e.type == "Warning" and (e.reason or "").startswith("Failed") for e in events)


def _is_young(snapshot: ClusterSnapshot, metadata: ObjectMeta) -> bool:
    created = metadata.creation_timestamp
    return created is not None and snapshot.info.taken_at - created <= STARTING


def limits_set(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    for view in case.workloads:
        unasked = defaults(case, view.subject.namespace)
        lacking = [line for each in view.containers if (line := _lacking(each, *unasked))]
        if lacking:
            unseen = "" if case.snapshot.has("LimitRange") else " (no LimitRange was seen)"
            yield Result(Status.WARN, f"{'; '.join(lacking)}{unseen}", view.subject)
        else:
            yield Result(
                Status.PASS, "every container has requests and limits", view.subject, _sizes(view)
            )


def _lacking(container: Container, unasked: Amounts, unlimited: Amounts) -> str:
    """Memory must have both, since the limit decides who is killed; CPU at least a request: a
    CPU limit is a matter of taste, and throttles. A LimitRange fills in what is not stated."""
    requests = {**unasked, **(container.resources.requests or {})}
    limits = {**unlimited, **(container.resources.limits or {})}
    lacks = [
        f"{name} {what}"
        for name, what, amounts in (
            # A limit without a request sets the request, too (the API server's default).
            ("cpu", "request", {**limits, **requests}),
            ("memory", "request", {**limits, **requests}),
            ("memory", "limit", limits),
        )
        if name not in amounts
    ]
    return f"{container.name} has no {', no '.join(lacks)}" if lacks else ""


def _sizes(view: WorkloadView) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            "spec",
            str(view.subject),
            f"{container.name}: requests {_amounts(container.resources.requests)}, "
            f"limits {_amounts(container.resources.limits)}",
        )
        for container in view.containers
    )


def _amounts(amounts: dict[str, str | int | float] | None) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted((amounts or {}).items())) or "none"


CHECKS = (
    Check(
        id="pod-running",
        title="Pods run and are ready",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=pods_run,
    ),
    Check(
        id="resource-limits-set",
        title="Containers have requests and limits",
        severity=Severity.WARNING,
        needs=("Pod", "Deployment"),
        run=limits_set,
    ),
)
