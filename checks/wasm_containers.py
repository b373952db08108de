"""What a Wasm container cannot do that a Linux one can: start programs, tell its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import per_workload
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
from kubectl_wasmai.wasm import (
    is_module_path,
    is_native_handler,
    needs_annotation,
    selects_wasm,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, ContainerStatus, Pod


def exec_probes(case: Case) -> Iterable[Finding]:
    """An exec probe of a Wasm container never succeeds; a liveness one never even kills."""
    for view, position, container in _wasm_containers(case):
        for field in _exec_fields(container):
            path = f"/spec/template/spec/containers/{position}/{field.replace('.', '/')}"
            yield Finding(
                "exec-probe-unsupported",
                view.subject,
                Certainty.CERTAIN,
                (Evidence("spec", str(view.subject), f"{container.name}: {field}.exec"),),
                {
                    "field": field,
                    "container": container.name,
                    "patch": json.dumps([{"op": "remove", "path": path}]),
                },
            )


def _exec_fields(container: Container) -> Iterator[str]:
    probes = {
        "startupProbe": container.startup_probe,
        "readinessProbe": container.readiness_probe,
        "livenessProbe": container.liveness_probe,
    }
    yield from (field for field, probe in probes.items() if probe and probe.exec)
    hooks = container.lifecycle
    if hooks and hooks.post_start and hooks.post_start.exec:
        yield "lifecycle.postStart"
    if hooks and hooks.pre_stop and hooks.pre_stop.exec:
        yield "lifecycle.preStop"


def masked_exit(case: Case) -> Iterable[Finding]:
    """A server that is to run for ever "completed" with 0 (crun: the code of proc_exit is lost)."""
    for view in case.workloads:
        if view.spec.restart_policy not in (None, "Always"):
            continue
        for pod in view.pods:
            for status in () if is_well(pod) else container_statuses(pod):
                if _completed(status) and _is_wasm(case, view, status.name):
                    yield _masked(view, pod, status)


def _completed(status: ContainerStatus) -> bool:
    ends = (status.state.terminated, status.last_state.terminated)
    return not status.ready and any(end and end.exit_code == 0 for end in ends)


def _masked(view: WorkloadView, pod: Pod, status: ContainerStatus) -> Finding:
    text = f"{status.name}: Completed, exit code 0, {status.restart_count} restarts"
    evidence = Evidence("status", str(Subject("Pod", pod.namespace, pod.name)), text)
    return Finding(
        "wasm-exit-masked",
        view.subject,
        Certainty.LIKELY,
        (evidence,),
        {"container": status.name},
    )


def _is_wasm(case: Case, view: WorkloadView, name: str) -> bool:
    return any(container.name == name for _, _, container in _wasm_containers(case, view))


def _wasm_containers(
    case: Case, only: WorkloadView | None = None
) -> Iterator[tuple[WorkloadView, int, Container]]:
    """Containers that certainly run as Wasm. Where the image alone names the program, one
    container that is alone in its pod counts; of several, nobody can say from here."""
    for view in case.workloads if only is None else (only,):
        if not _runs_wasm(case, view):
            continue
        for position, container in enumerate(view.containers):
            module = container.command and is_module_path(container.command[0])
            alone = not container.command and len(view.containers) == 1
            if module or alone:
                yield view, position, container


def _runs_wasm(case: Case, view: WorkloadView) -> bool:
    """By the class's handler; by the annotation alone where classes were not to be listed."""
    name, chosen = view.spec.runtime_class_name or "", selects_wasm(view.template_annotations)
    runtime_class = case.snapshot.runtime_classes.get(name)
    if runtime_class is None:
        return bool(name) and chosen and not case.snapshot.has("RuntimeClass")
    if is_native_handler(runtime_class.handler):
        return False
    return chosen or not needs_annotation(runtime_class.handler)


def without_exec(case: Case, view: WorkloadView) -> Result:
    found = list(exec_probes(Case(case.snapshot, (view,), case.thresholds)))
    if found:
        evidence = tuple(each for finding in found for each in finding.evidence)
        return Result(Status.FAIL, evidence[0].text, view.subject, evidence)
    if not any(True for _ in _wasm_containers(case, view)):
        reason = "no container of it is certain to run as WebAssembly"
        return Result(Status.SKIP, reason, view.subject)
    return Result(Status.PASS, "no exec in probes or hooks", view.subject)


CHECKS = (
    Check(
        id="no-exec-in-wasm",
        title="No probe or hook starts a program in a Wasm container",
        severity=Severity.ERROR,
        needs=("RuntimeClass", "Pod"),
        run=per_workload(without_exec),
        depends_on=("runtimeclass-exists",),
    ),
)
DETECTORS = (
    Detector(("exec-probe-unsupported",), ("Pod",), exec_probes),
    Detector(("wasm-exit-masked",), ("Pod",), masked_exit),
)
