"""Does a granted GPU reach the container?

A Wasm handler never calls NVIDIA's runtime: with the plugin's default strategy the pod is
scheduled, holds a GPU, runs, and sees nothing. A pod has one RuntimeClass, so it cannot have both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_handover import Handover, handover
from kubectl_wasmai.checks.gpu_use import wanting

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import holds_gpu
from kubectl_wasmai.doctor.health import container_statuses, is_leaving
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
from kubectl_wasmai.snapshot import LogKey
from kubectl_wasmai.wasm import is_module_path, is_native_handler, selects_wasm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod

_NOTHING_THERE = re.compile(
    r"libcuda\.so(?:\.1)?: cannot open shared object|NVML Shared Library Not Found"
    r"|libnvidia-ml\.so\.1: cannot open shared object|no CUDA-capable device is detected"
    r"|Failed to initialize NVML: (?:ERROR_LIBRARY_NOT_FOUND|could not load)"
    r"|nvidia-smi: (?:command )?not found|/dev/nvidia\S*: No such file"
)
_ALL_GPUS = ("NVIDIA_VISIBLE_DEVICES", "all")


def handler(case: Case, view: WorkloadView) -> str:
    """The runtime handler of the pods; empty for the node's default."""
    name = view.spec.runtime_class_name or ""
    runtime_class = case.snapshot.runtime_classes.get(name)
    return runtime_class.handler if runtime_class else name


def runs_wasm(case: Case, view: WorkloadView) -> bool:
    """Whether the handler is one for Wasm, whatever the containers are."""
    used = handler(case, view)
    return bool(used) and not is_native_handler(used)


def is_module(view: WorkloadView) -> bool:
    """Whether the pod template says that a container is a Wasm module."""
    if selects_wasm(view.template_annotations):
        return True
    starts = [(c.command or c.args or ("",))[0] for c in view.containers]
    return any(map(is_module_path, starts))


def conflicts(case: Case) -> Iterable[Finding]:
    for view in case.workloads:
        name, used = view.spec.runtime_class_name or "", handler(case, view)
        missing = case.snapshot.has("RuntimeClass") and name not in case.snapshot.runtime_classes
        if any(map(gpu.is_gpu_class, (name, used))) and is_module(view) and not missing:
            text = f"runtimeClassName: {view.spec.runtime_class_name}, and a Wasm module to run"
            yield Finding(
                "gpu-runtimeclass-conflict",
                view.subject,
                Certainty.CERTAIN,
                (Evidence("spec", str(view.subject), text),),
                {"handler": used},
            )


def not_injected(case: Case) -> Iterable[Finding]:
    found = handover(case)
    for view in case.workloads:
        holding = [p for p in view.pods if holds_gpu(case.snapshot, p) and not is_leaving(p)]
        if not holding:
            continue
        if found and found.means == "runtime" and runs_wasm(case, view) and _of_nvidia(view):
            yield _by_strategy(view, found)
        for pod in holding:
            yield from _by_words(case, view, pod, found)


def _of_nvidia(view: WorkloadView) -> bool:
    """By a device plugin: claims are always injected by CDI."""
    return any(gpu.vendor(name) == "nvidia" for name in gpu.requests(view.spec))


def _by_strategy(view: WorkloadView, found: Handover) -> Finding:
    text = f"runtimeClassName: {view.spec.runtime_class_name}"
    return Finding(
        "gpu-not-injected",
        view.subject,
        Certainty.CERTAIN if found.is_written else Certainty.LIKELY,
        (Evidence("spec", str(view.subject), text), found.evidence),
        _plugin_names(found),
    )


def _by_words(
    case: Case, view: WorkloadView, pod: Pod, found: Handover | None
) -> Iterator[Finding]:
    for status in container_statuses(pod):
        for previous in (False, True):
            key = LogKey(pod.namespace, pod.name, status.name, previous)
            lines = [
                line
                for line in case.snapshot.logs.get(key, "").splitlines()
                if _NOTHING_THERE.search(line)
            ]
            if lines and (not previous or not status.ready):
                about = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
                evidence = log_evidence(about, lines[-1])
                names = _plugin_names(found) if found else {}
                certain = Certainty.CERTAIN
                yield Finding("gpu-not-injected", view.subject, certain, (evidence,), names)


def _plugin_names(found: Handover) -> dict[str, str]:
    if found.plugin is None or gpu.role(found.plugin) != gpu.PLUGIN:
        return {}
    kind, namespace, name = found.plugin.subject
    return {"plugin": f"{kind.lower()}/{name}", "plugin_namespace": namespace}


def reaches_container(case: Case) -> Iterable[Result]:
    asking = [v for v in wanting(case) if gpu.requests(v.spec) or v.spec.resource_claims]
    wrong = {each.subject: each for each in (*not_injected(case), *conflicts(case))}
    grabbing = [view for view in case.workloads if view not in asking and _grabs_all(view)]
    if not asking and not grabbing:
        yield Result(Status.SKIP, "no workload here asks for a GPU")
    for view in asking:
        if view.subject in wrong:
            evidence = wrong[view.subject].evidence
            yield Result(Status.FAIL, evidence[-1].text, view.subject, evidence)
        else:
            yield _by_handover(case, view)
    for view in grabbing:
        reason = "sets NVIDIA_VISIBLE_DEVICES=all and asks for no GPU: where that has an effect "
        yield Result(Status.WARN, reason + "it sees everybody's GPUs", view.subject)


def _grabs_all(view: WorkloadView) -> bool:
    return any((v.name, v.value) == _ALL_GPUS for c in view.containers for v in c.env or ())


def _by_handover(case: Case, view: WorkloadView) -> Result:
    found = handover(case)
    if not _of_nvidia(view):
        by_claim = not gpu.requests(view.spec)
        reason = "claimed devices are injected by CDI" if by_claim else "devices are handed out"
        return Result(Status.PASS, f"{reason}, for any handler", view.subject)
    if found is None:
        return Result(
            Status.UNKNOWN,
            "the device plugin's list strategy is not to be seen",
            view.subject,
            needs="the plugin's DEVICE_LIST_STRATEGY: a Wasm handler needs cdi-cri",
        )
    evidence = (found.evidence,)
    if found.means in ("cdi", "devices and libraries"):
        return Result(Status.PASS, found.text, view.subject, evidence)
    if gpu.is_gpu_class(handler(case, view)):
        return Result(Status.PASS, "runs under NVIDIA's runtime", view.subject, evidence)
    if runs_wasm(case, view):
        reason = f"{found.text}: a Wasm handler gets no device"
        if found.means == "devices":
            reason = (
                f"{found.text}: a Wasm handler gets devices, and none of the driver's libraries"
            )
        return Result(Status.WARN, reason, view.subject, evidence)
    return Result(
        Status.UNKNOWN,
        f"{found.text}: works only if nvidia is the nodes' default runtime",
        view.subject,
        evidence,
        needs="the node's container runtime configuration, or runtimeClassName: nvidia",
    )


CHECKS = (
    Check(
        id="gpu-reaches-container",
        title="A granted GPU reaches the container",
        severity=Severity.ERROR,
        needs=("Pod", "DaemonSet"),
        run=reaches_container,
    ),
)
DETECTORS = (
    Detector(("gpu-runtimeclass-conflict",), ("Pod",), conflicts),
    Detector(("gpu-not-injected",), ("Pod",), not_injected),
)
