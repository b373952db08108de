"""Probes that fail though the container runs: wrong port, too little time, a busy server."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Event, Pod

LISTENING = re.compile(r"(?i)listening (?:on|at) \S*?:(\d{2,5})\b")
PORT_FLAG = re.compile(r"^--(?:port|socket-addr|listen)(?:=(?:\S*:)?(\d{2,5}))?$")
REFUSED = re.compile(r"(?:connect: )?connection refused")
TIMED_OUT = re.compile(r"Client\.Timeout|context deadline exceeded|i/o timeout|timeout awaiting")
KILLED = re.compile(r"failed (startup|liveness) probe")

PATIENCE = timedelta(seconds=20)
"""A server that refuses for longer than this, while its process lives, listens elsewhere."""


def failing_probes(case: Case) -> Iterable[Finding]:
    for view, pod in _unwell(case):
        events = case.snapshot.events_of("Pod", pod.namespace, pod.name)
        for container in view.containers:
            finding = _judge(case, view, pod, container, events)
            if finding is not None:
                yield finding


def _judge(
    case: Case, view: WorkloadView, pod: Pod, container: Container, events: tuple[Event, ...]
) -> Finding | None:
    probe = container.startup_probe or container.readiness_probe or container.liveness_probe
    refused = _last(events, "Unhealthy", REFUSED)
    if probe is None or refused is None:
        return None
    asked, listens = _probed_port(container), _listening_port(case, pod, container)
    names = {
        "container": container.name,
        "port": str(asked),
        "listening": str(listens or "another"),
    }
    subject = str(Subject("Pod", pod.namespace, pod.name))
    evidence = Evidence("event", subject, refused.message or "", refused.last_seen)
    if listens and asked and listens != asked:
        told = Evidence("log", subject, f"{container.name} listens on port {listens}")
        return Finding("port-mismatch", view.subject, Certainty.CERTAIN, (evidence, told), names)
    killed = _last(events, "Killing", KILLED)
    if killed and not _was_ready(pod):
        said = Evidence("event", subject, killed.message or "", killed.last_seen)
        return Finding(
            "startup-probe-too-short", view.subject, Certainty.LIKELY, (said, evidence), names
        )
    if listens is None and _has_run(case, pod, container.name, PATIENCE):
        return Finding("port-mismatch", view.subject, Certainty.LIKELY, (evidence,), names)
    return None


def busy_server(case: Case) -> Iterable[Finding]:
    """Was ready, then killed because an answer took too long."""
    for view, pod in _unwell(case):
        events = case.snapshot.events_of("Pod", pod.namespace, pod.name)
        slow = _last(events, "Unhealthy", TIMED_OUT)
        killed = _last(events, "Killing", re.compile("failed liveness probe"))
        if slow and killed and "Liveness" in (slow.message or ""):
            subject = str(Subject("Pod", pod.namespace, pod.name))
            yield Finding(
                "liveness-kills-busy-server",
                view.subject,
                Certainty.LIKELY,
                (
                    Evidence("event", subject, killed.message or "", killed.last_seen),
                    Evidence("event", subject, slow.message or "", slow.last_seen),
                ),
            )


def _unwell(case: Case) -> Iterator[tuple[WorkloadView, Pod]]:
    for view in case.workloads:
        yield from ((view, pod) for pod in view.pods if not is_well(pod))


def _last(events: tuple[Event, ...], reason: str, text: re.Pattern[str]) -> Event | None:
    found = [e for e in events if e.reason == reason and text.search(e.message or "")]
    return found[-1] if found else None


def _probed_port(container: Container) -> int | None:
    for probe in (container.startup_probe, container.readiness_probe, container.liveness_probe):
        action = probe and (probe.http_get or probe.tcp_socket)
        if action:
            named = {port.name: port.container_port for port in container.ports or ()}
            port = action.port
            return port if isinstance(port, int) else named.get(port)
    return None


def _listening_port(case: Case, pod: Pod, container: Container) -> int | None:
    """From the log, else from the arguments, else from PORT: what the server was told or said."""
    for previous in (False, True):
        log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name, previous))
        if log and (found := LISTENING.findall(log)):
            return int(found[-1])
    words = [*(container.command or ()), *(container.args or ())]
    for position, word in enumerate(words):
        match = PORT_FLAG.match(word)
        if match:
            value = match[1] or (words[position + 1] if position + 1 < len(words) else "")
            digits = value.rpartition(":")[2]
            return int(digits) if digits.isdigit() else None
    values = [v.value for v in container.env or () if v.name == "PORT" and v.value]
    return int(values[0]) if values and values[0].isdigit() else None


def _was_ready(pod: Pod) -> bool:
    return any(status.started and status.ready for status in container_statuses(pod))


def _has_run(case: Case, pod: Pod, name: str, least: timedelta) -> bool:
    for status in container_statuses(pod):
        running = status.state.running
        if status.name == name and running and running.started_at and not status.restart_count:
            return case.snapshot.info.taken_at - running.started_at >= least
    return False


DETECTORS = (
    Detector(("port-mismatch", "startup-probe-too-short"), ("Pod", "Event"), failing_probes),
    Detector(("liveness-kills-busy-server",), ("Pod", "Event"), busy_server),
)
