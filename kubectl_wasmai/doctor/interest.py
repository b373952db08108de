"""Whose pods the doctor looks at: those that want WebAssembly, serve a model with WasmEdge, or
want a GPU.

Other teams' pods may fail for their own reasons; naming them would be noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import drivers, needs
from kubectl_wasmai.wasm import is_module_path, is_native_handler, selector_annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.doctor.devices import Need
    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

MANAGED_BY = ("app.kubernetes.io/managed-by", "kubectl-wasmai")


def wants_wasm(snapshot: ClusterSnapshot, view: WorkloadView) -> bool:
    """Whether anything about a workload says that it is meant to run as Wasm.

    A RuntimeClass counts unless its handler is known to run native binaries; a class that does
    not exist counts too, since nobody can say what it was meant to be.
    """
    key, value = MANAGED_BY
    if (view.template.labels or {}).get(key) == value:
        return True
    if selector_annotations(view.template_annotations) or selector_annotations(
        view.metadata.annotations or {}
    ):
        return True
    name = view.spec.runtime_class_name
    if name:
        runtime_class = snapshot.runtime_classes.get(name)
        if not is_native_handler(runtime_class.handler if runtime_class else name):
            return True
    return any(_mentions_wasm(container) for container in view.containers)


def wants_gpu(snapshot: ClusterSnapshot, view: WorkloadView) -> bool:
    """Whether a workload is meant to use a GPU; what offers them (plugins, exporters) is not."""
    if gpu.role(view):
        return False
    if gpu.wants_gpu(view.spec, view.template_annotations):
        return True
    wishes = needs(snapshot, view.spec, view.subject.namespace)
    return any(_is_of_gpu(snapshot, each) for each in wishes)


def _is_of_gpu(snapshot: ClusterSnapshot, need: Need) -> bool:
    """Network cards and others are claimed in the same way; who cannot be told may be a GPU."""
    if need.spec is None:
        return True
    for request in need.spec.devices.requests or ():
        for one in request.alternatives:
            name = one.device_class_name or ""
            class_ = snapshot.device_classes.get(name)
            named = drivers(class_) if class_ else ()
            if any(map(gpu.is_gpu_driver, (name, *named))) or not named:
                return True
    return False


def _mentions_wasm(container: Container) -> bool:
    words: Iterable[str] = [*(container.command or ()), *(container.args or ())]
    if any(is_module_path(word) or word.rpartition("/")[2] == "wasmedge" for word in words):
        return True
    if any(variable.name.startswith("WASMEDGE_") for variable in container.env or ()):
        return True
    return is_module_path(container.image.partition("@")[0])
