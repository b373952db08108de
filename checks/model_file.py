"""Model files: where each is to come from, and whether its form suits what is to read it.

Read from the pod's spec: the API shows no files. Whether one is complete a person must see, unless
a server that loads it before it listens is ready.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.wasi_nn import SERVERS, preloads, words

from kubectl_wasmai.doctor.answers import named
from kubectl_wasmai.doctor.health import is_ready
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.wasm import is_module_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Volume

FORMS = {
    "ggml": (".gguf",),
    "tensorflowlite": (".tflite",),
    "openvino": (".xml",),
    "pytorch": (".pt", ".pth", ".torchscript"),
    "onnx": (".onnx",),
}
"""Suffixes of the files that a WASI-NN backend reads."""
_SUFFIXES = tuple(suffix for suffixes in FORMS.values() for suffix in suffixes)
BEFORE = (
    "no workload names a model yet; see that the file is ONNX, TFLite or GGUF, has the size and "
    "SHA-256 of its source, and that a model read inside Wasm memory stays well below 4 GiB"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class ModelFile(NamedTuple):
    """One model that a container names. ``encoding`` is the WASI-NN backend's, in small letters;
    empty without WASI-NN. ``is_inside``: the module itself reads it into its Wasm memory."""

    container: Container
    path: str
    place: str
    encoding: str = ""
    is_inside: bool = False


def model_files(view: WorkloadView) -> Iterator[ModelFile]:
    for container in view.containers:
        loaded = [each for each in preloads(container) if each.is_valid]
        for each in loaded:
            _, encoding, _, path = each.parts
            yield ModelFile(container, path, each.place, encoding.lower())
        if loaded:
            continue
        inside = not container.command or is_module_path(container.command[0])
        for word in words(container):
            path = word.rpartition("=")[2]
            if path.lower().endswith(_SUFFIXES) and "$" not in path:
                yield ModelFile(container, path, "arguments", is_inside=inside)


def model_ready(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield Result(Status.MANUAL, BEFORE)
    by_hand: list[str] = []
    for view in case.workloads:
        files = list(model_files(view))
        doubts = [text for file in files for text in _doubts(view, file)]
        if not files:
            yield Result(Status.SKIP, "names no model file", view.subject)
        elif doubts:
            evidence = tuple(Evidence("spec", str(view.subject), text) for text in doubts[:5])
            yield Result(Status.WARN, doubts[0], view.subject, evidence)
        elif serves_model(view):
            reason = "the server, which listens once its model is loaded, is ready"
            yield Result(Status.PASS, reason, view.subject)
        else:
            by_hand += [f"{file.path}, from {_source(view, file)}" for file in files]
    if by_hand:
        reason = f"compare size and SHA-256 with the source: {named(list(dict.fromkeys(by_hand)))}"
        yield Result(Status.MANUAL, reason)


def serves_model(view: WorkloadView) -> bool:
    """Whether a pod proves that its model is loaded: LlamaEdge's servers open their port after."""
    servers = any(
        container.readiness_probe is not None
        and any(word.rpartition("/")[2].startswith(SERVERS) for word in words(container))
        for container in view.containers
    )
    return servers and any(map(is_ready, view.pods))


def _doubts(view: WorkloadView, file: ModelFile) -> Iterator[str]:
    wanted = FORMS.get(file.encoding, ())
    suffix = next((each for each in _SUFFIXES if file.path.lower().endswith(each)), "")
    if wanted and suffix and suffix not in wanted:
        yield (
            f"{file.container.name}: {file.place} gives {file.path} to {file.encoding.upper()}, "
            f"which reads {' and '.join(wanted)}"
        )
    volume = _volume(view, file)
    if volume is not None and volume.empty_dir is not None and not _is_filled(view, volume):
        yield f"{file.container.name}: nothing fills emptyDir {volume.name} with {file.path}"


def _volume(view: WorkloadView, file: ModelFile) -> Volume | None:
    """The volume whose mount covers the path; ``None``: it must be in the image."""
    mounts = sorted(file.container.volume_mounts or (), key=lambda m: -len(m.mount_path))
    for mount in mounts:
        root = mount.mount_path.rstrip("/") + "/"
        if file.path.startswith(root):
            return next((v for v in view.spec.volumes or () if v.name == mount.name), None)
    return None


def _is_filled(view: WorkloadView, volume: Volume) -> bool:
    others = [*(view.spec.init_containers or ()), *view.containers[1:]]
    return any(m.name == volume.name for each in others for m in each.volume_mounts or ())


def _source(view: WorkloadView, file: ModelFile) -> str:
    if _URL.match(file.path):
        return "its address"
    volume = _volume(view, file)
    if volume is None:
        return f"image {file.container.image}"
    if volume.image:
        return f"image {volume.image.reference}"
    if volume.persistent_volume_claim:
        return f"claim {volume.persistent_volume_claim.claim_name}"
    if volume.host_path:
        return f"{volume.host_path.path} of each node that may run it"
    return f"volume {volume.name}"


CHECKS = (
    Check(
        id="model-file-ready",
        title="The model file is ready: ONNX, TFLite or GGUF, complete, small enough",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=model_ready,
    ),
)
