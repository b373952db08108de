"""What the kubelet's probes have met: whom they asked, what they got, whom they had killed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_finished, is_leaving, is_ready
from kubectl_wasmai.doctor.model import Evidence, Subject
from kubectl_wasmai.doctor.quantity import whole
from kubectl_wasmai.doctor.symptoms import log_evidence
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.doctor.model import Case
    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, ContainerStatus, Event, Pod, Probe

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
RECENT = timedelta(minutes=10)
"""A kill counts for so long, though the container is ready again: it will not be the last."""

_FAILED = re.compile(
    r"(?P<probe>Startup|Readiness|Liveness) probe (?:failed|errored)", re.IGNORECASE
)
_KILLED = re.compile(r"(?:Container (?P<name>\S+) )?failed (?P<probe>startup|liveness) probe")
_REASONS = ("Killing", "Unhealthy", "ProbeWarning")
_STATUS = re.compile(r"statuscode: (?P<code>\d{3})")
_NO_PORT = re.compile(r"couldn't find port|strconv\.(?:Atoi|ParseInt)")
_LISTENS = re.compile(
    r"(?i)\b(?:listen\w*|serv(?:ing|er|ed)|bound|binding|started|running|ready)\b[^\n]*?"
    r"(?:(?P<host>\d+\.\d+\.\d+\.\d+|localhost|\[::1?\]|\*)?:|\bport[ =:]+)(?P<port>\d{2,5})\b"
)
_FLAG = re.compile(
    r"(?:^|\s)--?(?:http-|server-|listen-)?(?:port|socket-addr|addr|address|listen|bind)"
    r"(?:=|\s+)(?:(?P<host>[\w.\[\]:*-]*):)?(?P<port>\d{2,5})(?=\s|$)"
)
_VARIABLES = ("PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT", "SOCKET_ADDR", "LISTEN_ADDR")
_ADDRESS = re.compile(r"(?:(?P<host>.*):)?(?P<port>\d{2,5})")


@dataclass(frozen=True)
class Failure:
    """One kind of failure of one probe. ``result``: refused, timeout, no-port, error or an HTTP
    status."""

    probe: str
    result: str
    evidence: Evidence


@dataclass(frozen=True)
class Probed:
    """A container, the failures of its probes (oldest first) and the probes that had it killed.

    ``listens`` are host and port where the program says it listens, and its words.
    """

    view: WorkloadView
    pod: Pod
    container: Container
    status: ContainerStatus | None
    failures: tuple[Failure, ...]
    kills: tuple[Failure, ...]
    listens: tuple[tuple[str, int, Evidence], ...]

    def probe(self, name: str) -> Probe | None:
        probe: Probe | None = getattr(self.container, f"{name}_probe")
        return probe

    def port(self, name: str) -> int | None:
        """The number of the port a probe asks; ``None`` where no container port has its name."""
        return asked_port(self.container, self.probe(name))


def asked_port(container: Container, probe: Probe | None) -> int | None:
    """The number of the port a probe asks, 0 if it asks none; ``None`` where no port of the
    container has the name it uses."""
    action = probe and (probe.http_get or probe.tcp_socket)
    wanted = action.port if action else 0
    number = wanted if isinstance(wanted, int) else whole(wanted)
    if number is not None:
        return number
    ports = container.ports or ()
    return next((each.container_port for each in ports if each.name == wanted), None)


def announced(container: Container) -> Iterator[tuple[str, int, str]]:
    """Host (empty: not said) and port that the arguments and variables name, and where."""
    line = " ".join([*(container.command or ()), *(container.args or ())])
    for match in _FLAG.finditer(line):
        yield match["host"] or "", int(match["port"]), match[0].strip()
    for variable in container.env or ():
        address = _ADDRESS.fullmatch(variable.value or "")
        if variable.name in _VARIABLES and address:
            text = f"{variable.name}={variable.value}"
            yield address["host"] or "", int(address["port"]), text


def probed(case: Case) -> Iterator[Probed]:
    """Containers whose probes fail, or had them killed not long ago."""
    for view in case.workloads:
        for pod in view.pods:
            if is_finished(pod) or is_leaving(pod):
                continue
            events = [
                event
                for event in case.snapshot.events_of("Pod", pod.namespace, pod.name)
                if event.reason in _REASONS
            ]
            for container in (pod.spec.containers or ()) if events else ():
                found = _probed(case.snapshot, view, pod, container, events)
                if found.kills or (found.failures and not is_ready(pod)):
                    yield found


def _probed(
    snapshot: ClusterSnapshot,
    view: WorkloadView,
    pod: Pod,
    container: Container,
    events: list[Event],
) -> Probed:
    subject = Subject("Pod", pod.namespace, pod.name)
    failures: list[Failure] = []
    kills: list[Failure] = []
    for event in events:
        about = event.involved_object
        if about.uid not in (None, "", pod.metadata.uid):
            continue
        if about.field_path not in (None, "", f"spec.containers{{{container.name}}}"):
            continue
        text = event.message or ""
        evidence = Evidence("event", str(subject), text, event.last_seen)
        if killed := _killing(event, container.name):
            seen = event.last_seen
            if seen is None or snapshot.info.taken_at - seen <= RECENT:
                kills.append(Failure(killed, "killed", evidence))
        elif event.reason in ("Unhealthy", "ProbeWarning") and (match := _FAILED.search(text)):
            failures.append(Failure(match["probe"].lower(), _result(text), evidence))
    status = next((s for s in container_statuses(pod) if s.name == container.name), None)
    listens = tuple(_listens(snapshot, pod, container)) if failures or kills else ()
    return Probed(view, pod, container, status, tuple(failures), tuple(kills), listens)


def _killing(event: Event, container: str) -> str:
    if event.reason not in ("Killing", "Unhealthy"):
        return ""
    match = _KILLED.search(event.message or "")
    named = match["name"] if match else ""
    return match["probe"] if match and named in (None, container) else ""


def _result(text: str) -> str:
    if status := _STATUS.search(text):
        return status["code"]
    if "connection refused" in text:
        return "refused"
    if "deadline exceeded" in text or "Client.Timeout" in text or "i/o timeout" in text:
        return "timeout"
    return "no-port" if _NO_PORT.search(text) else "error"


def _listens(
    snapshot: ClusterSnapshot, pod: Pod, container: Container
) -> Iterator[tuple[str, int, Evidence]]:
    """The log's word counts more than that of the arguments: it says what has happened."""
    name = f"{Subject('Pod', pod.namespace, pod.name)} [{container.name}]"
    for previous in (False, True):
        log = snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name, previous), "")
        said = [(m, line) for line in log.splitlines() if (m := _LISTENS.search(line))]
        if said:
            for match, line in said:
                host = match["host"] or ""
                yield host, int(match["port"]), log_evidence(name, line)
            return
    for host, port, text in announced(container):
        yield host, port, Evidence("spec", name, text)
