"""Services: do they lead to the pods they are meant for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from kubectl_wasmai.snapshot.objects import Service


def services_reach_pods(case: Case) -> Iterable[Result]:
    services = tuple(_services(case))
    if not services:
        yield Result(Status.SKIP, "no Service belongs to a workload that asks for WebAssembly")
    broken = {finding.subject: finding for finding in mismatches(case)}
    for service, _ in services:
        subject = Subject("Service", service.namespace, service.name)
        finding = broken.get(subject)
        if finding:
            yield Result(Status.FAIL, finding.evidence[0].text, subject, finding.evidence)
        else:
            yield Result(Status.PASS, "selector and ports match the pods", subject)


def mismatches(case: Case) -> Iterable[Finding]:
    """From the objects alone, before anybody asks the Service for anything."""
    for service, view in _services(case):
        finding = _of_selector(service, view) or _of_ports(service, view)
        if finding is not None:
            yield finding


def _services(case: Case) -> Iterator[tuple[Service, WorkloadView]]:
    """Services with a selector that matches a workload of interest, or that bears its name."""
    for service in case.snapshot.services:
        here = [v for v in case.workloads if v.subject.namespace == service.namespace]
        selected = next((view for view in here if _selects(service, view)), None)
        named = next((view for view in here if view.subject.name == service.name), None)
        view = selected or named
        if service.spec.selector and view is not None and not _selects_other(case, service, here):
            yield service, view


def _selects(service: Service, view: WorkloadView) -> bool:
    selector = service.spec.selector or {}
    return bool(selector) and selector.items() <= (view.template.labels or {}).items()


def _selects_other(case: Case, service: Service, here: list[WorkloadView]) -> bool:
    """Another team's pods: then the Service is theirs, whatever its name."""
    selector = (service.spec.selector or {}).items()
    ours = {pod.name for view in here for pod in view.pods}
    return any(
        pod.namespace == service.namespace
        and pod.name not in ours
        and selector <= pod.labels.items()
        for pod in case.snapshot.pods
    )


def _of_selector(service: Service, view: WorkloadView) -> Finding | None:
    if _selects(service, view):
        return None
    selector = ",".join(f"{k}={v}" for k, v in sorted((service.spec.selector or {}).items()))
    labels = ",".join(f"{k}={v}" for k, v in sorted((view.template.labels or {}).items()))
    text = f"selector {selector} matches no pod; pods of {view.subject.name} carry {labels}"
    return _finding("service-selector-mismatch", service, view, text, {"selector": selector})


def _of_ports(service: Service, view: WorkloadView) -> Finding | None:
    ports = [port for container in view.containers for port in container.ports or ()]
    numbers = {port.container_port for port in ports}
    names = {port.name for port in ports if port.name}
    for port in service.spec.ports or ():
        target = port.target_port if port.target_port not in (None, 0) else port.port
        right = target in names if isinstance(target, str) else target in numbers or not numbers
        if not right:
            has = ", ".join([*map(str, sorted(numbers)), *sorted(names)]) or "none"
            text = f"targetPort {target} is no port of the pods, which have {has}"
            names_ = {"target": str(target), "ports": has}
            return _finding("service-port-mismatch", service, view, text, names_)
    return None


def _finding(
    cause: str, service: Service, view: WorkloadView, text: str, names: dict[str, str]
) -> Finding:
    subject = Subject("Service", service.namespace, service.name)
    return Finding(
        cause,
        subject,
        Certainty.CERTAIN,
        (Evidence("spec", str(subject), text),),
        {**names, "workload": str(view.subject)},
    )


CHECKS = (
    Check(
        id="service-reaches-pods",
        title="Services select the pods and name their ports",
        severity=Severity.ERROR,
        needs=("Service", "Pod"),
        run=services_reach_pods,
    ),
)
DETECTORS = (
    Detector(
        ("service-selector-mismatch", "service-port-mismatch"), ("Service", "Pod"), mismatches
    ),
)
