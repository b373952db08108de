"""Memory: is a container killed for wanting more than its limit?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.health import container_statuses, is_well
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Pod, StateTerminated

RECENT = timedelta(minutes=10)
"""A server killed so lately, and more than once, is not well though it is ready again."""
AGAIN = 2


def out_of_memory(case: Case) -> Iterator[Finding]:
    """The kernel's verdict, which has no other meaning; crun may report it with exit code 0."""
    for view in case.workloads:
        for pod in view.pods:
            for status in container_statuses(pod):
                end = _killed(status)
                if end is not None and _matters(case.snapshot, pod, status, end):
                    yield _finding(view, pod, status, end)


def _killed(status: ContainerStatus) -> StateTerminated | None:
    for state in (status.state, status.last_state):
        if state.terminated:
            return state.terminated if state.terminated.reason == "OOMKilled" else None
    return None


def _matters(
    snapshot: ClusterSnapshot, pod: Pod, status: ContainerStatus, end: StateTerminated
) -> bool:
    if not is_well(pod):
        return not status.ready
    lately = end.finished_at is not None and snapshot.info.taken_at - end.finished_at <= RECENT
    return status.restart_count >= AGAIN and lately


def _finding(
    view: WorkloadView, pod: Pod, status: ContainerStatus, end: StateTerminated
) -> Finding:
    specs = [*(pod.spec.init_containers or ()), *(pod.spec.containers or ())]
    limits = next((c.resources.limits for c in specs if c.name == status.name), None) or {}
    limit = str(limits.get("memory", ""))
    name = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
    text = f"OOMKilled, exit code {end.exit_code}, restarts {status.restart_count}"
    evidence = [Evidence("status", name, text, end.finished_at)]
    if limit:
        evidence.append(Evidence("spec", str(view.subject), f"{status.name}: memory={limit}"))
    names = {"container": status.name, "limit": limit or "none: the node's memory ran out"}
    return Finding("memory-limit-too-low", view.subject, Certainty.CERTAIN, tuple(evidence), names)


def memory_suffices(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    killed = {finding.subject: finding for finding in out_of_memory(case)}
    for view in case.workloads:
        finding = killed.get(view.subject)
        if finding is None:
            yield Result(Status.PASS, "no container was killed for its memory", view.subject)
        else:
            reason = f"{finding.names['container']} was OOMKilled"
            yield Result(Status.FAIL, reason, view.subject, finding.evidence)


CHECKS = (
    Check(
        id="memory-suffices",
        title="No container is killed for its memory",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=memory_suffices,
    ),
)
DETECTORS = (Detector(("memory-limit-too-low",), ("Pod",), out_of_memory),)
