"""Ports and paths in a pod's spec: do server, probes and container ports name the same?

Read before anything runs; a probe that passes overrules every reading. What LlamaEdge's server
listens on and answers is known: ``llama-api-server/src/main.rs`` and ``src/backend/mod.rs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.wasi_nn import SERVERS, words

from kubectl_wasmai.doctor.answers import counted, per_workload
from kubectl_wasmai.doctor.health import is_ready
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.doctor.probing import LOOPBACK, announced, asked_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Probe

LLAMA_PORT = 8080
"""Where LlamaEdge's servers listen unless told otherwise (0.0.0.0)."""
LLAMA_PATHS = ("/v1/", "/echo")
"""Beginnings of the paths they answer; they have no /health."""


def ports_agree(_case: Case, view: WorkloadView) -> Result:
    probed = [p for c in view.containers for _, p in probes(c) if p.http_get or p.tcp_socket]
    if probed and any(map(is_ready, view.pods)):
        ready = counted(sum(map(is_ready, view.pods)), "pod")
        return Result(Status.PASS, f"the probes pass in {ready}", view.subject)
    differing = [text for container in view.containers for text in _differing(container)]
    if differing:
        evidence = tuple(Evidence("spec", str(view.subject), text) for text in differing)
        return Result(Status.WARN, differing[0], view.subject, evidence[:5])
    if not probed and not any(container.ports for container in view.containers):
        return Result(Status.SKIP, "it has no port and no probe that asks one", view.subject)
    told = [text for container in view.containers for *_, text in listens(container)]
    if told:
        return Result(Status.PASS, f"{told[0]}: ports and probes agree", view.subject)
    reason = "neither arguments nor variables say where the server listens"
    return Result(Status.SKIP, reason, view.subject)


def probes(container: Container) -> Iterator[tuple[str, Probe]]:
    for name, probe in (
        ("startupProbe", container.startup_probe),
        ("readinessProbe", container.readiness_probe),
        ("livenessProbe", container.liveness_probe),
    ):
        if probe is not None:
            yield name, probe


def listens(container: Container) -> list[tuple[str, int, str]]:
    """Host, port and where that is said; a known server's own default if nothing is."""
    told = list(announced(container))
    if not told and _is_llama(container):
        return [("", LLAMA_PORT, f"llama-api-server's default port {LLAMA_PORT}")]
    return told


def _is_llama(container: Container) -> bool:
    return any(word.rpartition("/")[2].startswith(SERVERS) for word in words(container))


def _differing(container: Container) -> Iterator[str]:
    """What contradicts what, in words."""
    told = listens(container)
    open_ports = {port for host, port, _ in told if host not in LOOPBACK}
    where = told[-1][2] if told else ""
    for name, probe in probes(container):
        port = asked_port(container, probe)
        if port is None:
            yield f"{container.name}: {name} asks a port by a name that no containerPort has"
        elif port and told and not open_ports:
            yield f"{container.name}: {where} is reachable from inside the container alone"
        elif port and told and port not in open_ports:
            yield f"{container.name}: {name} asks port {port}, but {where}"
        path = (probe.http_get and probe.http_get.path) or "/"
        if probe.http_get and _is_llama(container) and not path.startswith(LLAMA_PATHS):
            yield f"{container.name}: {name} asks {path}, which llama-api-server does not have"
    declared = [port.container_port for port in container.ports or ()]
    if open_ports and declared and not open_ports.intersection(declared):
        yield f"{container.name}: containerPort {declared[0]}, but {where}"


CHECKS = (
    Check(
        id="ports-agree",
        title="Server, probes and container ports name the same port",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=per_workload(ports_agree),
    ),
)
