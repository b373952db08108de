"""Gathers the texts in which a failing workload says what is wrong with it.

Only of pods that are not well now: an error that was overcome is history, not a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.doctor.health import container_statuses, is_finished, is_well
from kubectl_wasmai.doctor.interest import wants_wasm
from kubectl_wasmai.doctor.model import Evidence
from kubectl_wasmai.snapshot import LogKey, Subject, WorkloadView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.model import Case
    from kubectl_wasmai.snapshot import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import Condition, ContainerState, Event, Pod

KUBELET_PLACEHOLDER = "unable to retrieve container logs for "
"""What `kubectl logs` prints for a container that is being replaced: no word of the program."""

_EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)
_ENGINE_ERROR = re.compile(r"(?:\S+Z\s+)?\[\d{4}-\d\d-\d\d [\d:.]+\] \[error\] ")
"""How WasmEdge begins a line, after what ``kubectl logs --timestamps`` puts before it."""

LOG_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))\s+")
"""What ``kubectl logs --timestamps`` puts before each line."""


@dataclass(frozen=True)
class Symptom:
    """One text. ``where`` is event, waiting, terminated, condition or log; ``reason`` is the
    event's or state's reason; ``subject`` the object the text is about."""

    where: str
    reason: str
    text: str
    subject: Subject
    view: WorkloadView
    container: str = ""
    time: datetime | None = None

    @property
    def node(self) -> str:
        """The node of the pod that the text is about; empty where there is none."""
        pod = self.view.by_name.get(self.subject.name)
        return (pod and pod.spec.node_name) or ""

    def evidence(self, text: str) -> Evidence:
        """``text`` is the whole text, or the one line of a log that says it."""
        source = {"event": "event", "log": "log"}.get(self.where, "status")
        name = str(self.subject) + (f" [{self.container}]" if self.container else "")
        if source == "log":
            return log_evidence(name, text)
        return Evidence(source, name, text.strip(), self.time)


def symptoms(case: Case) -> Iterator[Symptom]:
    """All texts of all workloads of interest that are not well."""
    for view in case.workloads:
        yield from symptoms_of(case.snapshot, view)


def symptoms_of(snapshot: ClusterSnapshot, view: WorkloadView) -> Iterator[Symptom]:
    """All texts of one workload, as far as it is not well."""
    if view.refused:
        yield from _of_controllers(snapshot, view)
    for pod in view.pods:
        if not is_well(pod):
            yield from _of_pod(snapshot, view, pod)
    yield from _of_last_run(snapshot, view)


def _of_last_run(snapshot: ClusterSnapshot, view: WorkloadView) -> Iterator[Symptom]:
    """The engine's own errors in the log of the last run that seems to have succeeded: crun 1.21
    makes every exit code of a Wasm module 0, so that is no word of the program's."""
    runs = [pod for pod in view.pods if is_finished(pod)]
    if not runs or len(runs) < len(view.pods) or not wants_wasm(snapshot, view):
        return
    last = max(runs, key=lambda pod: pod.status.start_time or _EPOCH)
    subject = Subject("Pod", last.namespace, last.name)
    for status in container_statuses(last):
        for each in _of_logs(snapshot, subject, view, status.name):
            said = [line for line in each.text.splitlines() if _ENGINE_ERROR.match(line)]
            if said:
                yield replace(each, text="\n".join(said))


def logs_of(snapshot: ClusterSnapshot, view: WorkloadView, pod: Pod) -> Iterator[Symptom]:
    """Logs and ends of a pod's containers, even of those that seem well: a program that waits
    for ever, or starts once a minute, is ready, too."""
    subject = Subject("Pod", pod.namespace, pod.name)
    for status in container_statuses(pod):
        yield from _of_state(status.last_state, subject, view, status.name)
        yield from _of_logs(snapshot, subject, view, status.name)


def log_evidence(name: str, line: str) -> Evidence:
    """One line of a container's log, with the time apart that ``--timestamps`` put before it."""
    stamp = LOG_TIME.match(line)
    if stamp is None:
        return Evidence("log", name, line.strip())
    return Evidence("log", name, line[stamp.end() :].strip(), _time(stamp[1]))


def _time(text: str) -> datetime | None:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None


def _of_controllers(snapshot: ClusterSnapshot, view: WorkloadView) -> Iterator[Symptom]:
    for subject in view.controllers:
        for event in snapshot.events_of(*subject):
            yield _from_event(event, subject, view)
    yield from _of_conditions(view.conditions, view.subject, view)


def _of_pod(snapshot: ClusterSnapshot, view: WorkloadView, pod: Pod) -> Iterator[Symptom]:
    subject = Subject("Pod", pod.namespace, pod.name)
    for event in snapshot.events_of(*subject):
        if event.involved_object.uid in (None, "", pod.metadata.uid):
            yield _from_event(event, subject, view)
    if pod.status.message:
        yield Symptom("condition", pod.status.reason or "", pod.status.message, subject, view)
    unmet = [each for each in pod.status.conditions or () if each.status != "True"]
    yield from _of_conditions(unmet, subject, view)
    for status in container_statuses(pod):
        if not status.ready:
            yield from _of_state(status.state, subject, view, status.name)
            yield from _of_state(status.last_state, subject, view, status.name)
            yield from _of_logs(snapshot, subject, view, status.name)


def _of_conditions(
    conditions: Iterable[Condition], subject: Subject, view: WorkloadView
) -> Iterator[Symptom]:
    for each in conditions:
        if each.message:
            reason, time = each.reason or "", each.last_transition_time
            yield Symptom("condition", reason, each.message, subject, view, time=time)


def _of_logs(
    snapshot: ClusterSnapshot, subject: Subject, view: WorkloadView, container: str
) -> Iterator[Symptom]:
    for previous in (False, True):
        log = snapshot.logs.get(LogKey(subject.namespace, subject.name, container, previous))
        if log and not log.lstrip().startswith(KUBELET_PLACEHOLDER):
            yield Symptom("log", "", log, subject, view, container)


def _of_state(
    state: ContainerState, subject: Subject, view: WorkloadView, container: str
) -> Iterator[Symptom]:
    if state.waiting:
        reason, message = state.waiting.reason or "", state.waiting.message or ""
        yield Symptom("waiting", reason, message or reason, subject, view, container)
    if state.terminated:
        end = state.terminated
        yield Symptom(
            "terminated",
            end.reason or "",
            end.message or f"exit code {end.exit_code}",
            subject,
            view,
            container,
            end.finished_at,
        )


def _from_event(event: Event, subject: Subject, view: WorkloadView) -> Symptom:
    return Symptom(
        "event", event.reason or "", event.message or "", subject, view, "", event.last_seen
    )
