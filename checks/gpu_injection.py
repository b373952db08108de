"""Does a granted GPU reach the container?

NVIDIA's device plugin by default only sets ``NVIDIA_VISIBLE_DEVICES`` (strategy ``envvar``) and
leaves the rest to ``nvidia-container-runtime``, which runs for the nvidia handler alone. A Wasm
handler never calls it: the pod is scheduled, holds a GPU, runs, and sees nothing. With CDI
(``cdi-cri``, ``cdi-annotations``) containerd or CRI-O injects the device for any handler.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import of_role

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.health import container_statuses, is_leaving
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.snapshot import LogKey
from kubectl_wasmai.wasm import is_module_path, is_native_handler, selects_wasm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod

STRATEGY = "DEVICE_LIST_STRATEGY"
NEEDING_NVIDIA_RUNTIME = ("envvar", "volume-mounts")
GKE = "nvidia-gpu-device-plugin"
"""Hands out devices and mounts itself; it needs no runtime of NVIDIA's."""

_NOTHING_THERE = re.compile(
    r"libcuda\.so(?:\.1)?: cannot open shared object|NVML Shared Library Not Found"
    r"|libnvidia-ml\.so\.1: cannot open shared object|no CUDA-capable device is detected"
    r"|Failed to initialize NVML: (?:ERROR_LIBRARY_NOT_FOUND|could not load)"
    r"|nvidia-smi: (?:command )?not found|/dev/nvidia\S*: No such file"
)


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


def strategy(case: Case) -> tuple[WorkloadView, str, bool] | None:
    """NVIDIA's plugin, how it hands out devices, and whether that is written there (or only
    the plugin's default). ``None`` where it is not seen, or takes its settings from a file."""
    for view in of_role(case, gpu.PLUGIN):
        if gpu.component_vendor(view) != "nvidia" or view.subject.name.startswith(GKE):
            continue
        said = gpu.settings(view.containers, STRATEGY)
        devices = (gpu.settings(view.containers, "PASS_DEVICE_SPECS") or "").lower() == "true"
        from_file = gpu.settings(view.containers, "CONFIG_FILE") is not None
        if devices or said == "?" or (said is None and from_file):
            return None
        return view, said or "envvar", said is not None
    return None


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
    found = strategy(case)
    for view in case.workloads:
        holding = [pod for pod in view.pods if gpu.granted(pod) and not is_leaving(pod)]
        if not holding:
            continue
        if found and runs_wasm(case, view) and _of_nvidia(view):
            yield from _by_strategy(view, found)
        for pod in holding:
            yield from _by_words(case, view, pod, found)


def _of_nvidia(view: WorkloadView) -> bool:
    return any(gpu.vendor(name) == "nvidia" for name in gpu.requests(view.spec))


def _by_strategy(view: WorkloadView, found: tuple[WorkloadView, str, bool]) -> Iterator[Finding]:
    plugin, chosen, is_written = found
    if not set(re.split(r"[,\s]+", chosen)) <= {*NEEDING_NVIDIA_RUNTIME, ""}:
        return
    where = f"{STRATEGY}={chosen}" if is_written else f"no {STRATEGY}: {chosen} is the default"
    yield Finding(
        "gpu-not-injected",
        view.subject,
        Certainty.CERTAIN if is_written else Certainty.LIKELY,
        (
            Evidence(
                "spec", str(view.subject), f"runtimeClassName: {view.spec.runtime_class_name}"
            ),
            Evidence("spec", str(plugin.subject), where),
        ),
        _plugin_names(plugin),
    )


def _by_words(
    case: Case, view: WorkloadView, pod: Pod, found: tuple[WorkloadView, str, bool] | None
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
                evidence = Evidence("log", about, lines[-1].strip())
                names = _plugin_names(found[0]) if found else {}
                certain = Certainty.CERTAIN
                yield Finding("gpu-not-injected", view.subject, certain, (evidence,), names)


def _plugin_names(plugin: WorkloadView) -> dict[str, str]:
    kind, namespace, name = plugin.subject
    return {"plugin": f"{kind.lower()}/{name}", "plugin_namespace": namespace}


DETECTORS = (
    Detector(("gpu-runtimeclass-conflict",), ("Pod",), conflicts),
    Detector(("gpu-not-injected",), ("Pod",), not_injected),
)
