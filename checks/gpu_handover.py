"""How a granted GPU is handed to the container: what the device plugin was told to do.

NVIDIA's device plugin by default only sets ``NVIDIA_VISIBLE_DEVICES`` (strategy ``envvar``) and
leaves the rest to ``nvidia-container-runtime``, which runs for the nvidia handler alone. With CDI
(``cdi-cri``, ``cdi-annotations``: the GPU operator's default since 25.10) containerd or CRI-O
injects device and libraries for any handler; DRA always works that way. GKE's plugin hands out
devices and mounts itself. ``PASS_DEVICE_SPECS`` adds the devices without the driver's libraries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kubectl_wasmai.checks.gpu_components import of_role

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.model import Case, Evidence
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.snapshot.objects import GpuOperator

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot import WorkloadView

STRATEGY = "DEVICE_LIST_STRATEGY"
NEEDING_NVIDIA_RUNTIME = frozenset({"envvar", "volume-mounts", ""})
GKE = "nvidia-gpu-device-plugin"
GKE_LABEL = "cloud.google.com/gke-accelerator"
CDI_BY_DEFAULT = (25, 10)
"""The GPU operator's version from which on it tells its plugin to use CDI."""

_VERSION = re.compile(r"v?(\d{2})\.(\d{1,2})")
_VERSION_LABELS = ("app.kubernetes.io/version", "helm.sh/chart")

Means = Literal["cdi", "devices and libraries", "devices", "runtime"]


@dataclass(frozen=True)
class Handover:
    """``means``: what a container of any handler gets (CDI, or a plugin that gives all), devices
    alone, or nothing but for NVIDIA's runtime. ``is_written``: not only a default."""

    means: Means
    text: str
    plugin: WorkloadView | None = None
    is_written: bool = True

    @property
    def evidence(self) -> Evidence:
        return Evidence("spec", str(self.plugin.subject) if self.plugin else "Node", self.text)


@once_per_case
def handover(case: Case) -> Handover | None:
    """Of NVIDIA's GPUs; ``None`` where nothing in sight tells, as where the plugin takes its
    settings from a file or is built into the nodes."""
    plugins = [v for v in of_role(case, gpu.PLUGIN) if gpu.component_vendor(v) == "nvidia"]
    for view in plugins:
        if view.subject.name.startswith(GKE):
            return Handover("devices and libraries", "GKE's plugin gives devices and mounts", view)
        found = _of_plugin(view)
        if found is not None:
            return found
    by_operator = _of_operator(case, plugins)
    if by_operator is None and any(GKE_LABEL in node.labels for node in case.snapshot.nodes):
        return Handover("devices and libraries", f"label {GKE_LABEL}: GKE's own plugin")
    return by_operator


def _of_plugin(view: WorkloadView) -> Handover | None:
    said = gpu.settings(view.containers, STRATEGY)
    from_file = gpu.settings(view.containers, "CONFIG_FILE") is not None
    if said == "?" or (said is None and from_file):
        return None
    text = f"{STRATEGY}={said}" if said else f"no {STRATEGY}: envvar is the default"
    if not {*re.split(r"[,\s]+", said or "")} <= NEEDING_NVIDIA_RUNTIME:
        return Handover("cdi", text, view)
    if (gpu.settings(view.containers, "PASS_DEVICE_SPECS") or "").lower() == "true":
        return Handover("devices", f"{text}, PASS_DEVICE_SPECS=true", view, said is not None)
    return Handover("runtime", text, view, said is not None)


def _of_operator(case: Case, plugins: list[WorkloadView]) -> Handover | None:
    """Where the plugin itself does not tell: what the operator does by default."""
    for policy in case.snapshot.of("ClusterPolicy", GpuOperator):
        cdi = policy.spec.cdi
        if cdi and cdi.enabled is not None:
            means: Means = "cdi" if cdi.enabled else "runtime"
            text = f"ClusterPolicy {policy.name}: cdi.enabled={str(cdi.enabled).lower()}"
            return Handover(means, text, next(iter(plugins), None), is_written=False)
    for view in of_role(case, gpu.OPERATOR):
        version = _operator_version(view)
        if version >= CDI_BY_DEFAULT:
            text = f"the GPU operator's version {version[0]}.{version[1]} uses CDI by default"
            return Handover("cdi", text, view, is_written=False)
    return None


def _operator_version(view: WorkloadView) -> tuple[int, ...]:
    """From the image's tag, else the chart's labels; empty where neither tells."""
    labels = {**(view.metadata.labels or {}), **(view.template.labels or {})}
    tags = [c.image.partition("@")[0].rpartition("/")[2].partition(":")[2] for c in view.containers]
    for text in (*tags, *(labels.get(name, "").rpartition("-")[2] for name in _VERSION_LABELS)):
        match = _VERSION.match(text)
        if match:
            return int(match[1]), int(match[2])
    return ()
