"""Ports and probes: does the server answer where and when the kubelet asks?

A refused connection has two causes that look alike: nothing will ever listen there, or the model
is still being loaded. What the program says of its port, in its log or its arguments, decides.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.node import trouble

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
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
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.probing import LOOPBACK, Failure, Probed, probed
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import ClusterSnapshot

STARVED = 0.05
"""Cores. With less a Wasm engine cannot even start within a probe's patience."""
LONG = timedelta(minutes=2)
"""After so long without a word of loading, nobody is going to listen."""
LOADING = re.compile(r"(?i)\b(?:load|download|warm|initiali[sz]|compil)\w*")
REFUSALS = ("refused", "error")


@once_per_case
def findings(case: Case) -> tuple[Finding, ...]:
    sick = {node.name for node in case.snapshot.nodes if trouble(node)}
    return tuple(
        finding
        for each in probed(case)
        if each.pod.spec.node_name not in sick
        for finding in _judge(case.snapshot, each)
    )


def _judge(snapshot: ClusterSnapshot, each: Probed) -> Iterator[Finding]:
    """The first that holds: a wrong place explains a wrong time."""
    last = {failure.probe: failure for failure in each.failures}
    for failure in last.values():
        if failure.result == "404":
            path = _path(each, failure.probe)
            yield _finding(each, "probe-path-missing", Certainty.CERTAIN, failure, path=path)
            return
    for failure in last.values():
        said = _elsewhere(each, failure)
        if said is not None:
            certainty, evidence = said
            yield _finding(each, "port-mismatch", certainty, failure, *evidence)
            return
    if _starved(each):
        yield _finding(each, "cpu-throttled", Certainty.LIKELY, each.failures[-1:], *_limit(each))
        return
    yield from _too_early(snapshot, each)


def _elsewhere(each: Probed, failure: Failure) -> tuple[Certainty, list[Evidence]] | None:
    """Whether the probe asks at a port where nothing listens, and who says so."""
    port = each.port(failure.probe)
    if failure.result == "no-port" or port is None:
        return Certainty.CERTAIN, []
    if failure.result not in REFUSALS or not port:
        return None
    said = [(host, evidence) for host, number, evidence in each.listens if number == port]
    if any(host not in LOOPBACK for host, _ in said):
        return None
    if each.listens:
        return Certainty.CERTAIN, [(said or each.listens)[-1][-1]]
    declared = [declared.container_port for declared in each.container.ports or ()]
    return (Certainty.LIKELY, []) if declared and port not in declared else None


def _too_early(snapshot: ClusterSnapshot, each: Probed) -> Iterator[Finding]:
    for kill in each.kills[-1:]:
        own = [failure for failure in each.failures if failure.probe == kill.probe]
        late = [failure for failure in own if failure.result == "timeout"]
        if kill.probe == "liveness" and late:
            yield _finding(each, "liveness-kills-busy-server", Certainty.CERTAIN, [*late, kill])
        elif kill.probe == "startup" or own:
            refused = own or each.failures
            yield _finding(each, "startup-probe-too-short", Certainty.CERTAIN, [*refused, kill])
        return
    refused = [failure for failure in each.failures if failure.result == "refused"]
    started = each.status.state.running if each.status else None
    if started is None or not refused:
        return
    if _talks_of_loading(snapshot, each):
        return
    since = started.started_at
    long = since is not None and snapshot.info.taken_at - since > LONG
    certainty = Certainty.LIKELY if long else Certainty.POSSIBLE
    yield _finding(each, "port-mismatch", certainty, refused)


def _talks_of_loading(snapshot: ClusterSnapshot, each: Probed) -> bool:
    key = LogKey(each.pod.namespace, each.pod.name, each.container.name)
    return LOADING.search(snapshot.logs.get(key, "")) is not None


def _starved(each: Probed) -> bool:
    limit = (each.container.resources.limits or {}).get("cpu")
    slow = any(failure.result in ("refused", "timeout") for failure in each.failures)
    return slow and limit is not None and amount(limit) <= STARVED


def _limit(each: Probed) -> list[Evidence]:
    limit = (each.container.resources.limits or {}).get("cpu", "")
    return [Evidence("spec", str(each.view.subject), f"{each.container.name}: limits.cpu={limit}")]


def _path(each: Probed, name: str) -> str:
    probe = each.probe(name)
    return (probe.http_get.path if probe and probe.http_get else "") or "/"


def _finding(
    each: Probed,
    cause: str,
    certainty: Certainty,
    failures: Failure | Iterable[Failure],
    *evidence: Evidence,
    path: str = "",
) -> Finding:
    of = [failures] if isinstance(failures, Failure) else list(failures)
    names = {"container": each.container.name, **({"path": path} if path else {})}
    name = of[-1].probe if of else "readiness"
    port = each.port(name)
    names |= {"probe": f"{name}Probe", "port": str(port or "by a name that no port has")}
    names["listens"] = f"{each.listens[-1][1]}" if each.listens else "another, or on none"
    texts = (*(failure.evidence for failure in of), *evidence)
    return Finding(cause, each.view.subject, certainty, texts, names)


def probes_fit(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    found: dict[object, Finding] = {}
    for finding in findings(case):
        if finding.certainty is not Certainty.POSSIBLE:
            found.setdefault(finding.subject, finding)
    for view in case.workloads:
        finding_ = found.get(view.subject)
        if finding_ is not None:
            reason = f"{finding_.cause}: {finding_.evidence[0].text}"
            yield Result(Status.FAIL, reason, view.subject, finding_.evidence[:3])
        elif any(c.readiness_probe or c.liveness_probe for c in view.containers):
            yield Result(Status.PASS, "no probe asks at a wrong place or time", view.subject)
        else:
            yield Result(Status.SKIP, "no container has a probe", view.subject)


CHECKS = (
    Check(
        id="probes-fit",
        title="Probes ask where and when the server can answer",
        severity=Severity.ERROR,
        needs=("Pod", "Event"),
        run=probes_fit,
    ),
)
DETECTORS = (
    Detector(
        (
            "port-mismatch",
            "probe-path-missing",
            "startup-probe-too-short",
            "liveness-kills-busy-server",
            "cpu-throttled",
        ),
        ("Pod", "Event"),
        findings,
    ),
)
