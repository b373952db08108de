"""The model: was it loaded, and does the server in front of it answer?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks import compiled

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.health import condition, is_leaving, is_ready
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
from kubectl_wasmai.doctor.symptoms import log_evidence, symptoms
from kubectl_wasmai.rights import rule
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Pod

LOAD_ERROR = re.compile(
    # WasmEdge's own phases: lib/common/errinfo.cpp, since 0.9.
    r"(?<!\[info\] )(?:loading|validation|instantiation) failed: "
    r"|load library failed"
    # WASI-NN, ggml and LlamaEdge.
    r"|[Mm]odel file not found|unable to init (?:model|context)|backend is not (?:built|supported)"
    r"|plugin not installed|[Pp]reload model"
)


def model_loaded(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    errors: dict[Subject, Evidence] = {}
    for symptom in symptoms(case):
        if symptom.where in ("log", "terminated"):
            for line in symptom.text.splitlines():
                if LOAD_ERROR.search(line):
                    errors[symptom.view.subject] = symptom.evidence(line)
    for view in case.workloads:
        error = errors.get(view.subject)
        slow = compiled.slow(case, view)
        if error:
            yield Result(Status.FAIL, "the log reports a load error", view.subject, (error,))
        elif slow:
            reason = "the engine interprets the module: 50 to 400 times slower than compiled code"
            yield Result(Status.WARN, reason, view.subject, (slow,))
        else:
            yield _from_readiness(case, view)


def _from_readiness(case: Case, view: WorkloadView) -> Result:
    """A passing readiness probe is a server's word that it can answer; a mere start is not."""
    pods = [pod for pod in view.pods if not is_leaving(pod)]
    ready = [pod for pod in pods if is_ready(pod)]
    if not pods:
        return Result(Status.SKIP, "no pod has been created", view.subject)
    if not ready:
        return _without_ready_pod(case, view)
    if not any(container.readiness_probe for container in view.containers):
        return Result(
            Status.UNKNOWN,
            "pods are ready without a readiness probe: that proves only that a process runs",
            view.subject,
            needs="a readinessProbe on the server's health path",
        )
    return Result(
        Status.PASS,
        f"the readiness probe passes in {len(ready)} of {len(pods)} pods",
        view.subject,
        tuple(_since(pod) for pod in ready[:3]),
    )


def _without_ready_pod(case: Case, view: WorkloadView) -> Result:
    namespace = view.subject.namespace
    for each in case.snapshot.info.collection.denied:
        if each.resource == "pods/log" and each.namespace in ("", namespace):
            right = f"get pods/log in namespace {namespace}"
            needs = f"{right}; the rule that grants it: {rule('', ['pods/log'], ['get'])}"
            reason = f"no pod is ready, and you may not {right}"
            return Result(Status.UNKNOWN, reason, view.subject, needs=needs)
    return Result(
        Status.UNKNOWN,
        "no pod is ready, and no log line tells of the model",
        view.subject,
        needs="a ready pod, or a log that says why it is not",
    )


ON_CPU = re.compile(
    # llama.cpp, as the ggml plugin prints it.
    r"not compiled with GPU offload support|no usable GPU found|offloaded 0/\d+ layers to GPU"
)
GPU = re.compile(r"/(?:gpu|mig-[\w.]+)(?:\.shared)?$")
NO_LAYERS = re.compile(r"(?:^|\s)(?:--n-gpu-layers|-g)(?:=|\s+)0(?=\s|$)")


def cpu_fallback(case: Case) -> Iterable[Finding]:
    """Of pods that run well, too: nothing fails, it is only slow."""
    for view in case.workloads:
        granted = [each for each in view.containers if any(map(GPU.search, _limits(each)))]
        for container in granted:
            for evidence in (*_without_layers(view, container), *_said(case, view, container)):
                names = {"container": container.name}
                yield Finding("cpu-fallback", view.subject, Certainty.CERTAIN, (evidence,), names)


def _limits(container: Container) -> Iterable[str]:
    return container.resources.limits or {}


def _without_layers(view: WorkloadView, container: Container) -> Iterable[Evidence]:
    line = " ".join([*(container.command or ()), *(container.args or ())])
    variables = {each.name.lower(): each.value for each in container.env or ()}
    if NO_LAYERS.search(line) or variables.get("n_gpu_layers") == "0":
        yield Evidence("spec", str(view.subject), f"{container.name}: n-gpu-layers is 0")


def _said(case: Case, view: WorkloadView, container: Container) -> Iterable[Evidence]:
    for pod in view.pods:
        log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name), "")
        lines = [line for line in log.splitlines() if ON_CPU.search(line)]
        if lines and not is_leaving(pod):
            about = f"{Subject('Pod', pod.namespace, pod.name)} [{container.name}]"
            yield log_evidence(about, lines[-1])


def _since(pod: Pod) -> Evidence:
    ready = condition(pod, "Ready")
    since = ready.last_transition_time if ready else None
    return Evidence("status", str(Subject("Pod", pod.namespace, pod.name)), "Ready", since)


CHECKS = (
    Check(
        id="model-loaded",
        title="The model is loaded and the server answers",
        severity=Severity.ERROR,
        needs=("Pod", "Event"),
        run=model_loaded,
        depends_on=("runtimeclass-exists", "runtime-handler-available"),
    ),
)
DETECTORS = (Detector(("cpu-fallback",), ("Pod",), cpu_fallback),)
