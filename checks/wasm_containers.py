"""What a Wasm container cannot do that a Linux one can: start programs, tell its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.wasm import (
    HANDLER_ANNOTATION,
    VARIANT_ANNOTATION,
    is_module_path,
    is_native_handler,
    needs_annotation,
    selects_wasm,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, ContainerStatus, Pod

FORCING = {VARIANT_ANNOTATION: ("compat",), HANDLER_ANNOTATION: ("wasm", "wasmedge")}
"""Annotation values that make crun run every container of the pod as Wasm."""


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


def forced_on_linux(case: Case) -> Iterable[Finding]:
    """`compat` takes every container for Wasm, a sidecar's Linux program too."""
    for view in case.workloads:
        forced = [
            f"{key}: {value}"
            for key, value in view.template_annotations.items()
            if value in FORCING.get(key, ())
        ]
        if not forced or all(is_well(pod) for pod in view.pods):
            continue
        for container in view.containers:
            if container.command and not is_module_path(container.command[0]):
                text = f"{forced[0]}; command of {container.name}: {container.command[0]}"
                yield Finding(
                    "wasm-handler-forced-on-linux-binary",
                    view.subject,
                    Certainty.CERTAIN,
                    (Evidence("spec", str(view.subject), text),),
                    {"file": container.command[0], "container": container.name},
                )


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
        runtime_class = case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")
        if runtime_class is None or is_native_handler(runtime_class.handler):
            continue
        if needs_annotation(runtime_class.handler) and not selects_wasm(view.template_annotations):
            continue
        for position, container in enumerate(view.containers):
            module = container.command and is_module_path(container.command[0])
            alone = not container.command and len(view.containers) == 1
            if module or alone:
                yield view, position, container


DETECTORS = (
    Detector(("exec-probe-unsupported",), ("RuntimeClass",), exec_probes),
    Detector(("wasm-handler-forced-on-linux-binary",), ("Pod",), forced_on_linux),
    Detector(("wasm-exit-masked",), ("Pod", "RuntimeClass"), masked_exit),
)
