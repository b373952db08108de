"""The engine: the WebAssembly module that serves a model, as shipped or as a file.

The package ``kubectl_wasmai.engine`` holds a module for each format, and knows what it can run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai import engine as shipped
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.content import FilePart, digest_content

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_wasmai.image.model import Model

# engine/src/llama/config.rs and engine/kernels/src/types.rs.
ARCHITECTURES = frozenset({"llama", "mistral", "qwen2"})
TENSOR_TYPES = frozenset({"F32", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"})
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


@dataclass(frozen=True)
class Abilities:
    """What an engine can run; None where it does not say."""

    operators: frozenset[str] | None = None
    architectures: frozenset[str] | None = None
    tensor_types: frozenset[str] | None = None


@dataclass(frozen=True)
class Engine:
    """A file that serves models, on this machine."""

    path: Path
    version: str = "custom"
    """As it calls itself; modules of the user's own do not."""
    can: Abilities = field(default_factory=Abilities)
    compiled: str = ""
    """For what it was compiled ahead of time; nothing for a module."""
    origin: str = ""
    """Digest of the module that it was compiled from."""

    @cached_property
    def content(self) -> FilePart:
        """Its bytes."""
        return FilePart(self.path, self.path.stat().st_size)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of its bytes."""
        return digest_content(self.content)

    @property
    def module(self) -> str:
        """Digest of the module that it is, or was compiled from."""
        return self.origin or self.digest


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


def shipped_engine(format_: shipped.Format) -> Engine:
    """The engine of this installation for models of that format."""
    if format_ == "onnx":
        can = Abilities(operators=shipped.operators())
    else:
        can = Abilities(architectures=ARCHITECTURES, tensor_types=TENSOR_TYPES)
    return Engine(shipped.module_path(format_), shipped.manifest().version, can)


def known_crates(digest: str) -> list[Crate] | None:
    """The libraries inside the engine of that digest, if it is this installation's own."""
    own = (f"sha256:{each.sha256}" for each in shipped.manifest().modules.values())
    if digest not in own:
        return None
    return msgspec.json.decode(shipped.sbom_path().read_bytes(), type=Parts).components


def require_runnable(model: Model, engine: Engine) -> list[str]:
    """Refuse a model that the engine cannot run; returns warnings. Raises InputError."""
    path = model.files[0].path
    if model.size > LARGEST_MODEL:
        raise InputError(
            f"{path} has {model.size / 2**30:.1f} GiB; the memory of a WebAssembly "
            "module ends at 4 GiB, and must hold more than the weights",
            "quantize it, or build an image of the model alone (--model-only) and serve that with "
            "the ggml plugin, which keeps weights outside",
        )
    if len(model.files) > 1 and model.format == "gguf":
        raise InputError(
            f"{path} comes in {len(model.files)} parts; the engine opens one file",
            "join them: llama-gguf-split --merge FIRST-PART joined.gguf",
        )
    if engine.can != Abilities() and path.suffix.lower() != f".{model.format}":
        raise InputError(
            f"{path} is {model.format.upper()}, but the engine opens only what ends in "
            f".{model.format}",
            f"rename it: {path.stem}.{model.format}",
        )
    _require_supported(model, engine)
    warnings = []
    if model.format == "onnx" and engine.can.operators is None:
        warnings.append("operators were not compared: the engine does not say which it has")
    if model.size > LARGE_MODEL:
        size = f"{model.size / 2**30:.1f} GiB"
        warnings.append(f"the model has {size}; under 1 GiB starts faster and leaves memory")
    return warnings


def _require_supported(model: Model, engine: Engine) -> None:
    # The engine knows operators by their names alone, without the domain.
    operators = frozenset(each.rpartition(".")[2] for each in model.operators)
    architecture = model.card.get("architecture")
    for what, used, able in (
        ("operator", operators, engine.can.operators),
        ("tensor type", model.tensor_types, engine.can.tensor_types),
        ("architecture", frozenset([architecture or ""]) - {""}, engine.can.architectures),
    ):
        missing = sorted(used - able) if able is not None else []
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
