"""The annotation that selects WebAssembly: is it there, in its place, and does it reach crun?

crun decides from ``args[0]`` and an annotation on the *pod*, never from the file's content
(crun ``src/libcrun/handlers/handler-utils.c``). Between the two stands the container runtime,
which hands on only the annotations its configuration names; no object of the API shows that
configuration. A module that runs proves it, an ``Exec format error`` disproves it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.health import container_statuses, is_ready, is_well
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
from kubectl_wasmai.doctor.symptoms import log_evidence
from kubectl_wasmai.doctor.versions import runs_k3s
from kubectl_wasmai.snapshot import LogKey
from kubectl_wasmai.wasm import (
    HANDLER_ANNOTATION,
    VARIANT_ANNOTATION,
    is_module_path,
    is_native_handler,
    needs_annotation,
    selector_annotations,
    selects_wasm,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Pod

AT_ONCE = timedelta(seconds=5)
ENGINE = re.compile(
    r"\[error\] (?:loading|validation|instantiation|execution) failed: "
    r"|could not get wasmedge result from VM"
)
"""WasmEdge's and crun's own words, which a Linux program does not say."""
FORCING = {VARIANT_ANNOTATION: ("compat",), HANDLER_ANNOTATION: ("wasm", "wasmedge")}
"""Annotation values that make crun run every container of the pod as Wasm."""


def annotation_missing(case: Case) -> Iterable[Finding]:
    """From the spec: a module as command, a plain crun handler, and no annotation anywhere."""
    for view in case.workloads:
        if not _expects_annotation(case, view) or selects_wasm(view.template_annotations):
            continue
        misplaced = selector_annotations(view.metadata.annotations or {})
        commands = [container.command[0] for container in view.containers if container.command]
        modules = [command for command in commands if is_module_path(command)]
        if misplaced and view.subject.kind != "Pod":
            key, value = next(iter(misplaced.items()))
            yield Finding(
                "wasm-annotation-misplaced",
                view.subject,
                Certainty.CERTAIN,
                (Evidence("spec", str(view.subject), f"metadata.annotations: {key}: {value}"),),
                {"annotation": key},
            )
        elif modules and case.snapshot.has("RuntimeClass"):
            text = f"command: {modules[0]}, no annotation {VARIANT_ANNOTATION} on the pod template"
            yield Finding(
                "wasm-annotation-missing",
                view.subject,
                Certainty.CERTAIN,
                (Evidence("spec", str(view.subject), text),),
                {"module": modules[0]},
            )


def _expects_annotation(case: Case, view: WorkloadView) -> bool:
    """Of a class that nobody was allowed to list one only knows that its pods do not run."""
    name = view.spec.runtime_class_name or ""
    runtime_class = case.snapshot.runtime_classes.get(name)
    if runtime_class is None and not case.snapshot.has("RuntimeClass"):
        return bool(name) and not all(is_well(pod) for pod in view.pods)
    return runtime_class is not None and needs_annotation(runtime_class.handler)


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


def annotation_effective(case: Case, view: WorkloadView) -> Result:
    runtime_class = case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")
    if runtime_class is None:
        return Result(Status.SKIP, "names no existing RuntimeClass", view.subject)
    handler = runtime_class.handler
    if is_native_handler(handler):
        return Result(Status.SKIP, f"handler {handler} runs no WebAssembly", view.subject)
    alone = Case(case.snapshot, (view,), case.thresholds)
    wrong = [*annotation_missing(alone), *forced_on_linux(alone)]
    if wrong:
        evidence = tuple(each for finding in wrong for each in finding.evidence)
        return Result(Status.FAIL, evidence[0].text, view.subject, evidence)
    if not needs_annotation(handler):
        return _of_forcing_handler(view, handler)
    return _passed_on(case, view, handler)


def _of_forcing_handler(view: WorkloadView, handler: str) -> Result:
    chosen = view.template_annotations.get(HANDLER_ANNOTATION)
    if chosen and handler.startswith("crun") and not any(map(is_ready, view.pods)):
        reason = f"{HANDLER_ANNOTATION}: {chosen}, which {handler} refuses: it forces Wasm itself"
        return Result(Status.WARN, reason, view.subject)
    return Result(Status.SKIP, f"handler {handler} needs no annotation", view.subject)


def _passed_on(case: Case, view: WorkloadView, handler: str) -> Result:
    annotations = selector_annotations(view.template_annotations)
    written = ", ".join(f"{key}: {value}" for key, value in annotations.items())
    proofs = _proofs(case, view)
    commands = [container.command[0] for container in view.containers if container.command]
    if len(commands) == len(view.containers) and not any(map(is_module_path, commands)):
        return Result(Status.SKIP, "no command of it is a module", view.subject)
    if proofs:
        told = f"{written}: a module runs under it" if written else "runs, and needs no annotation"
        status = Status.PASS if written else Status.SKIP
        return Result(status, told, view.subject, tuple(proofs[:3]))
    if not selects_wasm(annotations):
        what = f"{written} is no value crun knows" if written else "no annotation selects Wasm"
        reason = f"{what}; crun runs the image's entrypoint as a Linux program"
        return Result(Status.WARN, reason, view.subject)
    if handler == "crun" and runs_k3s(case.snapshot):
        reason = f"{written} is set, but K3s' own table of crun passes no annotation on"
        return Result(Status.WARN, reason, view.subject)
    return Result(
        Status.UNKNOWN,
        f"{written} is set; whether the container runtime passes it on shows when a pod runs",
        view.subject,
        needs="a running pod, or pod_annotations of the handler in `containerd config dump` on "
        "the node",
    )


def _proofs(case: Case, view: WorkloadView) -> list[Evidence]:
    """The kernel refuses a module at once: one that goes on running, or is spoken of by the
    engine, was chosen for Wasm. A Linux sidecar that runs proves nothing."""
    alone = len(view.containers) == 1
    modules = {
        container.name
        for container in view.containers
        if (is_module_path(container.command[0]) if container.command else alone)
    }
    return [
        evidence
        for pod in view.pods
        for status in container_statuses(pod)
        if (status.name in modules or is_ready(pod))
        and (evidence := _proof(case, pod, status)) is not None
    ]


def _proof(case: Case, pod: Pod, status: ContainerStatus) -> Evidence | None:
    name = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
    since = status.state.running.started_at if status.state.running else None
    if is_ready(pod) or (since and case.snapshot.info.taken_at - since > AT_ONCE):
        return Evidence("status", name, "Running", since)
    for previous in (False, True):
        log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, status.name, previous), "")
        for line in log.splitlines():
            if ENGINE.search(line):
                return log_evidence(name, line)
    return None


CHECKS = (
    Check(
        id="wasm-annotation-effective",
        title="The annotation that selects Wasm is set and has an effect",
        severity=Severity.ERROR,
        needs=("RuntimeClass", "Pod"),
        run=per_workload(annotation_effective),
        depends_on=("runtimeclass-exists",),
    ),
)
DETECTORS = (
    Detector(
        ("wasm-annotation-missing", "wasm-annotation-misplaced"),
        ("Pod",),
        annotation_missing,
    ),
    Detector(("wasm-handler-forced-on-linux-binary",), ("Pod",), forced_on_linux),
)
