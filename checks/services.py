"""Services: does each in front of a Wasm workload reach its pods?

A Service that selects nothing may be somebody else's, or wait for pods yet to come. It is called
wrong only where it was evidently made for a workload that is here.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

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
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Service, ServicePort

ALIKE = 0.6
"""difflib's ratio above which two label values are the same word, misspelt or decorated."""


def unreached(case: Case) -> Iterator[Finding]:
    everything = case.snapshot.views
    for service in case.snapshot.services:
        selector = service.spec.selector
        if not selector or service.spec.type == "ExternalName":
            continue
        near = [view for view in everything if view.subject.namespace == service.namespace]
        selected = [view for view in near if _selects(selector, view)]
        if selected:
            ours = {view.subject for view in case.workloads}
            for view in (each for each in selected if each.subject in ours):
                yield from _wrong_ports(service, view)
            continue
        meant = _meant(case, service, near)
        if meant is not None:
            yield _selects_nothing(service, meant)


def _selects(selector: dict[str, str], view: WorkloadView) -> bool:
    labels = [view.template.labels or {}, *(pod.labels for pod in view.pods)]
    return any(selector.items() <= each.items() for each in labels)


def _meant(case: Case, service: Service, near: list[WorkloadView]) -> WorkloadView | None:
    """The workload of interest that the Service was made for, if that is plain to see."""
    interesting = {view.subject for view in case.workloads}
    ours = [view for view in near if view.subject in interesting]
    for view in ours:
        if service.name == view.subject.name or _nearly(service.spec.selector or {}, view):
            return view
    services = [s for s in case.snapshot.services if s.namespace == service.namespace]
    alone = len([s for s in services if s.spec.selector]) == 1 and len(ours) == 1
    return ours[0] if alone and len(near) == 1 else None


def _nearly(selector: dict[str, str], view: WorkloadView) -> bool:
    """Each label has a like value or key; a tier or role alone proves nothing."""
    labels = view.template.labels or {}
    for key, value in selector.items():
        others = [labels[key]] if key in labels else list(labels.values())
        if not any(_alike(value, other) for other in others):
            return False
    return bool(selector)


def _alike(one: str, other: str) -> bool:
    if one == other or one.startswith(other + "-") or other.startswith(one + "-"):
        return True
    return difflib.SequenceMatcher(None, one, other).ratio() >= ALIKE


def _selects_nothing(service: Service, view: WorkloadView) -> Finding:
    selector = service.spec.selector or {}
    labels = view.template.labels or {}
    right = {key: labels[key] for key in selector if key in labels} or dict(labels)
    replaced = {**dict.fromkeys(selector), **right}
    names = {
        "service": service.name,
        "selector": _words(selector),
        "labels": _words(labels),
        **({"patch": json.dumps({"spec": {"selector": replaced}})} if right else {}),
    }
    subject = Subject("Service", service.namespace, service.name)
    return Finding(
        "service-selector-mismatch",
        subject,
        Certainty.CERTAIN,
        (
            Evidence("spec", str(subject), f"selector: {_words(selector)}"),
            Evidence("spec", str(view.subject), f"labels of its pods: {_words(labels) or 'none'}"),
        ),
        names,
        (view.subject,),
    )


def _words(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _wrong_ports(service: Service, view: WorkloadView) -> Iterator[Finding]:
    for port in service.spec.ports or ():
        target = port.target_port if port.target_port not in (None, 0) else port.port
        if not _is_port(target, view):
            yield _wrong_port(service, port, target, view)


def _is_port(target: int | str | None, view: WorkloadView) -> bool:
    """Whether some container has that port. Declaring ports is optional: where a container
    declares none, any number may be right."""
    declared = [port for each in view.containers for port in each.ports or ()]
    if isinstance(target, str) and not target.isdigit():
        return any(port.name == target for port in declared)
    undeclared = any(not each.ports for each in view.containers)
    probed = {
        action.port
        for each in view.containers
        for probe in (each.startup_probe, each.readiness_probe, each.liveness_probe)
        if probe and (action := probe.http_get or probe.tcp_socket)
    }
    number = int(target or 0)
    numbers = {port.container_port for port in declared} | probed
    said = any(str(number) in f"{word}" for each in view.containers for word in _said(each))
    return undeclared or number in numbers or said


def _said(container: Container) -> list[str]:
    variables = [variable.value or "" for variable in container.env or ()]
    return [*(container.command or ()), *(container.args or ()), *variables]


def _wrong_port(
    service: Service, port: ServicePort, target: int | str | None, view: WorkloadView
) -> Finding:
    subject = Subject("Service", service.namespace, service.name)
    declared = [p for each in view.containers for p in each.ports or ()]
    ports = ", ".join(f"{p.container_port}{f' ({p.name})' if p.name else ''}" for p in declared)
    named = isinstance(target, str) and not target.isdigit()
    return Finding(
        "service-port-mismatch",
        subject,
        Certainty.CERTAIN if named else Certainty.LIKELY,
        (
            Evidence("spec", str(subject), f"port {port.port}, targetPort {target}"),
            Evidence("spec", str(view.subject), f"container ports: {ports or 'none'}"),
        ),
        {"service": service.name, "target": str(target), "ports": ports or "none"},
        (view.subject,),
    )


def services_reach(case: Case) -> Iterable[Result]:
    wrong: dict[Subject, Finding] = {}
    for finding in unreached(case):
        wrong.setdefault(finding.subject, finding)
    for finding in wrong.values():
        reason = f"{finding.subject}: {finding.evidence[0].text}; {finding.evidence[1].text}"
        yield Result(Status.FAIL, reason, finding.workloads[0], finding.evidence)
    blamed = {workload for finding in wrong.values() for workload in finding.workloads}
    for view in case.workloads:
        if view.subject in blamed:
            continue
        names = [s.name for s in case.snapshot.services if _in_front(s, view)]
        status = Status.PASS if names else Status.SKIP
        told = f"selected by {', '.join(names)}" if names else "no Service is in front of it"
        yield Result(status, told, view.subject)
    if not case.workloads:
        yield NO_WORKLOAD


def _in_front(service: Service, view: WorkloadView) -> bool:
    selector = service.spec.selector
    return service.namespace == view.subject.namespace and bool(
        selector and _selects(selector, view)
    )


CHECKS = (
    Check(
        id="service-reaches-pods",
        title="Services select the pods and name their ports",
        severity=Severity.ERROR,
        needs=("Service", "Pod"),
        run=services_reach,
    ),
)
DETECTORS = (
    Detector(("service-selector-mismatch", "service-port-mismatch"), ("Service", "Pod"), unreached),
)
