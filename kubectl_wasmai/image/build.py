"""A model becomes an image: engine and weights in layers of their own, one index for all CPUs.

The same inputs give the same digest on every machine: nothing here depends on time, user, file
times, or a compressor. Engines and weights are layers of their own, so that a registry and a
node keep an engine once for all models, and a model once for all engines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.image import oci
from kubectl_wasmai.image.content import Bytes, FilePart, Hashing, Member, tar
from kubectl_wasmai.image.progress import Start, silent
from kubectl_wasmai.wasm import COMPAT_SMART, VARIANT_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.image.copying import Sink
    from kubectl_wasmai.image.engine import Engine
    from kubectl_wasmai.image.model import Model
    from kubectl_wasmai.image.reference import Reference

PLATFORMS = ("linux/amd64", "linux/arm64")
"""linux, since containerd unpacks no image for the platform wasi/wasm (docs/cri/config.md)."""
USER = "65532:65532"
"""A number, so that the kubelet can tell that it is not root."""
PORT = 8080
ENGINE_PATH = "/engine.wasm"
MODELS = "/models"

TITLE = "org.opencontainers.image.title"
LICENSES = "org.opencontainers.image.licenses"
ENGINE_LABEL = "wasmai.dev/engine"
ENGINE_DIGEST_LABEL = "wasmai.dev/engine.digest"
"""Of the module, even where the image holds it compiled."""
COMPILED_LABEL = "wasmai.dev/engine.compiled"
MODEL_LABEL = "wasmai.dev/model"
ROLE = "wasmai.dev/role"
"""Annotation of a layer: ``engine`` or ``model``."""


@dataclass(frozen=True)
class Plan:
    """An image to build. ``engines`` by platform; empty for an image of the model alone."""

    reference: Reference
    model: Model
    engines: Mapping[str, Engine] = field(default_factory=dict)
    name: str = ""
    """What the engine calls the model; the name of its file where nothing is said."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def build(plan: Plan, sink: Sink, start: Start = silent) -> oci.Descriptor:
    """Write the image; returns the descriptor of its index. Raises InputError."""
    models, files = [], []
    for number in range(len(plan.model.files)):
        layer, file = _model_layer(plan, number, sink, start)
        models.append(layer)
        files.append(file)
    card = {**plan.model.card, "files": files}
    engines: dict[str, oci.Descriptor] = {}
    manifests = []
    for platform in PLATFORMS:
        layers = list(models)
        if plan.engines:
            engine = plan.engines[platform]
            if engine.digest not in engines:
                engines[engine.digest] = _engine_layer(engine, sink, start)
            layers.insert(0, engines[engine.digest])
        manifests.append(_manifest(plan, platform, layers, card, sink))
    document = {
        "schemaVersion": 2,
        "mediaType": oci.INDEX,
        "manifests": [each.document() for each in manifests],
        "annotations": _annotations(plan),
    }
    root = _add_document(document, oci.INDEX, sink)
    sink.tag(plan.reference, root)
    return root


def file_name(plan: Plan, number: int) -> str:
    """A file's name in the image. The engine names the model after the first."""
    name = plan.model.files[number].name
    return f"{plan.name}{PurePosixPath(name).suffix}" if plan.name and number == 0 else name


def model_path(plan: Plan, number: int) -> str:
    """Where a file of the model lies in the image; alone it lies at the root of a volume."""
    name = file_name(plan, number)
    return f"{MODELS}/{name}" if plan.engines else f"/{name}"


def _model_layer(
    plan: Plan, number: int, sink: Sink, start: Start
) -> tuple[oci.Descriptor, dict[str, Any]]:
    """The layer of a file; and its own digest, which is what publishers of models state."""
    file = plan.model.files[number]
    content = Hashing(FilePart(file.path, file.size))
    member = Member(model_path(plan, number), content)
    name = file_name(plan, number)
    layer = _layer(name, "model", [member], sink, start)
    return layer, {"name": name, "size": file.size, "digest": content.digest}


def _engine_layer(engine: Engine, sink: Sink, start: Start) -> oci.Descriptor:
    member = Member(ENGINE_PATH, engine.content, executable=True)
    return _layer(ENGINE_PATH.lstrip("/"), "engine", [member], sink, start)


def _layer(
    title: str, role: str, members: Sequence[Member], sink: Sink, start: Start
) -> oci.Descriptor:
    content = tar(members)
    digest = sink.add(content, start(title, content.size))
    return oci.Descriptor(oci.LAYER, digest, content.size, {TITLE: title, ROLE: role})


def _manifest(
    plan: Plan,
    platform: str,
    layers: Sequence[oci.Descriptor],
    card: Mapping[str, Any],
    sink: Sink,
) -> oci.Descriptor:
    data = oci.canonical(_config(plan, platform, layers, card))
    sink.add(Bytes(data), None, oci.digest_of(data))
    config = oci.describe(oci.CONFIG, data)
    document = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": config.document(),
        "layers": [each.document() for each in layers],
        "annotations": _annotations(plan),
    }
    os, _, architecture = platform.partition("/")
    return _add_document(document, oci.MANIFEST, sink, platform=oci.Platform(architecture, os))


def _config(
    plan: Plan, platform: str, layers: Sequence[oci.Descriptor], card: Mapping[str, Any]
) -> dict[str, Any]:
    os, _, architecture = platform.partition("/")
    settings: dict[str, Any] = {
        "User": USER,
        "WorkingDir": "/",
        "Labels": _labels(plan, platform, card),
    }
    if plan.engines:
        # In exec form, and ending in .wasm: so do crun and runwasi tell a module. Without
        # arguments the engine serves what lies in /models.
        settings |= {
            "Entrypoint": [ENGINE_PATH],
            "ExposedPorts": {f"{PORT}/tcp": {}},
        }
    return {
        "architecture": architecture,
        "os": os,
        "config": settings,
        # Layers are not compressed: digest and diff id are one.
        "rootfs": {"type": "layers", "diff_ids": [each.digest for each in layers]},
    }


def _labels(plan: Plan, platform: str, card: Mapping[str, Any]) -> dict[str, str]:
    labels = {
        TITLE: plan.name or plan.model.name,
        MODEL_LABEL: oci.canonical(dict(card)).decode(),
    }
    if licence := card.get("license"):
        labels[LICENSES] = licence
    if plan.engines:
        engine = plan.engines[platform]
        labels |= {ENGINE_LABEL: engine.version, ENGINE_DIGEST_LABEL: engine.module}
        if engine.compiled:
            labels[COMPILED_LABEL] = engine.compiled
    return {**labels, **plan.labels}


def _annotations(plan: Plan) -> dict[str, str]:
    found = {TITLE: plan.name or plan.model.name}
    if plan.engines:
        # For the tools that read it here; in Kubernetes the pod must carry it as well.
        found[VARIANT_ANNOTATION] = COMPAT_SMART
    return {**found, **plan.annotations}


def _add_document(document: object, media_type: str, sink: Sink, **more: Any) -> oci.Descriptor:
    data = oci.canonical(document)
    sink.add_document(data, media_type)
    return oci.describe(media_type, data, **more)
