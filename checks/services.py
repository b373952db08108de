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
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.quantity import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Service, ServicePort

ALIKE = 0.6
"""difflib's ratio above which two label values are the same word, misspelt or decorated."""


def unreached(case: Case) -> Iterator[Finding]:
    for service in case.snapshot.services:
        selector = service.spec.selector
        if not selector or service.spec.type == "ExternalName":
            continue
        place = _places(case)[service.namespace]
        selected = place.selected_by(selector)
        for view in selected:
            if view in place.ours:
                yield from _wrong_ports(service, view)
        meant = None if selected else place.meant_by(service)
        if meant is not None:
            yield _selects_nothing(service, meant)


@once_per_case
def _places(case: Case) -> dict[str, _Place]:
    namespaces = dict.fromkeys(service.namespace for service in case.snapshot.services)
    return {namespace: _Place(case, namespace) for namespace in namespaces}


@once_per_case
def _fronts(case: Case) -> dict[WorkloadView, list[str]]:
    """Names of the Services that select a workload."""
    found: dict[WorkloadView, list[str]] = {}
    for service in case.snapshot.services:
        place = _places(case)[service.namespace]
        for view in place.selected_by(service.spec.selector) if service.spec.selector else ():
            found.setdefault(view, []).append(service.name)
    return found


class _Place:
    """One namespace: what a selector finds there without looking at every pod of it."""

    def __init__(self, case: Case, namespace: str) -> None:
        self.near = case.snapshot.views_in(namespace)
        interesting = set(case.workloads)
        self.ours = dict.fromkeys(view for view in self.near if view in interesting)
        self._services = case.snapshot.services_in(namespace)
        self._labelled: dict[tuple[str, str], dict[WorkloadView, None]] = {}
        for view in self.near:
            for pair in {pair for labels in _labels(view) for pair in labels.items()}:
                self._labelled.setdefault(pair, {})[view] = None

    def selected_by(self, selector: dict[str, str]) -> list[WorkloadView]:
        first, *others = [self._labelled.get(pair, {}) for pair in selector.items()]
        likely = [view for view in first if all(view in other for other in others)]
        return [view for view in likely if _selects(selector, view)]

    def meant_by(self, service: Service) -> WorkloadView | None:
        """The workload of interest that the Service was made for, if that is plain to see."""
        for view in self.ours:
            if service.name == view.subject.name or _nearly(service.spec.selector or {}, view):
                return view
        alone = len([s for s in self._services if s.spec.selector]) == 1 and len(self.ours) == 1
        return next(iter(self.ours)) if alone and len(self.near) == 1 else None


def _labels(view: WorkloadView) -> list[dict[str, str]]:
    return [view.template.labels or {}, *(pod.labels for pod in view.pods)]


def _selects(selector: dict[str, str], view: WorkloadView) -> bool:
    return any(selector.items() <= each.items() for each in _labels(view))


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
    words = difflib.SequenceMatcher(None, one, other)
    return words.real_quick_ratio() >= ALIKE and words.ratio() >= ALIKE


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
    number = whole(target) if isinstance(target, str) else target or 0
    if number is None:
        return any(port.name == target for port in declared)
    undeclared = any(not each.ports for each in view.containers)
    probed = {
        action.port
        for each in view.containers
        for probe in (each.startup_probe, each.readiness_probe, each.liveness_probe)
        if probe and (action := probe.http_get or probe.tcp_socket)
    }
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
    named = isinstance(target, str) and whole(target) is None
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
    fronts = _fronts(case)
    blamed = {workload for finding in wrong.values() for workload in finding.workloads}
    for view in case.workloads:
        if view.subject in blamed:
            continue
        names = fronts.get(view, ())
        status = Status.PASS if names else Status.SKIP
        told = f"selected by {', '.join(names)}" if names else "no Service is in front of it"
        yield Result(status, told, view.subject)
    if not case.workloads:
        yield NO_WORKLOAD


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
