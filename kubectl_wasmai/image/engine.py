"""The engine: the WebAssembly module that serves a model, as shipped or as a file.

The package ``kubectl_wasmai.engine`` holds a module for each format, ``engine.json`` (version,
digests, what it can run) and ``sbom.cdx.json`` (the crates inside), as ``engine/build.py`` writes
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.content import FilePart, digest_content

if TYPE_CHECKING:
    from kubectl_wasmai.image.model import Model

PACKAGE = "kubectl_wasmai.engine"
DESCRIPTION = "engine.json"
PARTS = "sbom.cdx.json"
MODULES = {"onnx": "engine-onnx.wasm", "gguf": "engine-llama.wasm"}
_MAGIC = b"\0asm"
_MODULE = b"\x01\0\0\0"

LARGEST_MODEL = 3 << 30
"""Bytes. A wasm32 memory ends at 4 GiB and holds the weights, the cache and the engine."""
LARGE_MODEL = 1 << 30
"""Bytes. From here on a smaller quantisation or another way to run it is worth a thought."""


class Licence(msgspec.Struct, frozen=True):
    """CycloneDX' licence choice."""

    expression: str = ""


class Crate(msgspec.Struct, frozen=True):
    """A library inside the engine: a component of its CycloneDX list."""

    name: str
    version: str
    licenses: list[Licence] = []

    @property
    def license(self) -> str:
        """An SPDX expression, or nothing."""
        return self.licenses[0].expression if self.licenses else ""


class Parts(msgspec.Struct, frozen=True):
    """``sbom.cdx.json``."""

    components: list[Crate]


class EngineDescription(msgspec.Struct, frozen=True, rename="camel"):
    """``engine.json``. An empty list means that the engine does not say."""

    version: str
    operators: list[str] = []
    architectures: list[str] = []
    tensor_types: list[str] = []


@dataclass(frozen=True)
class Engine:
    """A module on this machine; ``description`` is missing for a file of the user's own."""

    path: Path
    description: EngineDescription | None = None

    @cached_property
    def content(self) -> FilePart:
        """Its bytes."""
        return FilePart(self.path, self.path.stat().st_size)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of its bytes."""
        return digest_content(self.content)

    @property
    def version(self) -> str:
        """As it calls itself; modules of the user's own do not."""
        return self.description.version if self.description else "custom"


def engine_from_file(path: Path) -> Engine:
    """An engine of the user's own. Raises InputError where it is no WebAssembly module."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise InputError(f"cannot read the engine {path}: {error.strerror}") from error
    if head[:4] != _MAGIC:
        raise InputError(
            f"the engine {path} is no WebAssembly module",
            "compile it for wasm32-wasip1; a module begins with the bytes 00 61 73 6d",
        )
    if head[4:] != _MODULE:
        raise InputError(
            f"the engine {path} is a WebAssembly component, not a module",
            "WasmEdge runs modules: compile for wasm32-wasip1 instead of wasip2",
        )
    return Engine(path)


def shipped_engine(format_: str) -> Engine:
    """The engine of this installation for models of that format. Raises InputError."""
    folder = _package()
    if folder is None or not (folder / DESCRIPTION).is_file():
        raise InputError(
            "this installation has no engine of its own",
            "give one with --engine FILE, or build an image of the model alone with --model-only",
        )
    data = (folder / DESCRIPTION).read_bytes()
    description = msgspec.json.decode(data, type=EngineDescription)
    return Engine(folder / MODULES[format_], description)


def known_crates(digest: str) -> list[Crate] | None:
    """The libraries inside the engine of that digest, if it is this installation's own."""
    folder = _package()
    modules = [folder / name for name in MODULES.values()] if folder else []
    if folder is None or not any(
        each.is_file() and Engine(each).digest == digest for each in modules
    ):
        return None
    return msgspec.json.decode((folder / PARTS).read_bytes(), type=Parts).components


def _package() -> Path | None:
    """Wheels are installed as folders: modules of many megabytes are read where they lie."""
    try:
        return Path(str(resources.files(PACKAGE)))
    except ModuleNotFoundError:
        return None


def require_runnable(model: Model, engine: Engine) -> list[str]:
    """Refuse a model that the engine cannot run; returns warnings. Raises InputError."""
    if model.size > LARGEST_MODEL:
        raise InputError(
            f"{model.files[0].path} has {model.size / 2**30:.1f} GiB; the memory of a WebAssembly "
            "module ends at 4 GiB, and must hold more than the weights",
            "quantize it, or build an image of the model alone (--model-only) and serve that with "
            "the ggml plugin, which keeps weights outside",
        )
    if len(model.files) > 1 and model.format == "gguf":
        raise InputError(
            f"{model.files[0].path} comes in {len(model.files)} parts; the engine opens one file",
            "join them: llama-gguf-split --merge FIRST-PART joined.gguf",
        )
    if engine.description:
        _require_supported(model, engine.description)
    warnings = []
    if model.format == "onnx" and not (engine.description and engine.description.operators):
        warnings.append("operators were not compared: the engine does not say which it has")
    if model.size > LARGE_MODEL:
        size = f"{model.size / 2**30:.1f} GiB"
        warnings.append(f"the model has {size}; under 1 GiB starts faster and leaves memory")
    return warnings


def _require_supported(model: Model, engine: EngineDescription) -> None:
    architecture = model.card.get("architecture")
    # The engine knows operators by their names alone, without the domain.
    operators = {each.rpartition(".")[2] for each in model.operators}
    for what, used, able in (
        ("operator", operators, engine.operators),
        ("tensor type", model.tensor_types, engine.tensor_types),
        ("architecture", {architecture} if architecture else set(), engine.architectures),
    ):
        missing = sorted(used - set(able)) if able else []
        if missing:
            raise InputError(
                f"the engine {engine.version} lacks {what} {', '.join(missing)}, which "
                f"{model.files[0].path} uses",
                _other_way(model),
            )


def _other_way(model: Model) -> str:
    if model.format == "gguf":
        return "convert the model to Q8_0 or F16, or serve it with the ggml plugin (--model-only)"
    return (
        "export the model with a lower opset, or simplify it "
        "(python -m onnxsim in.onnx out.onnx), and build again"
    )
