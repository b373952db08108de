"""The inference engine's modules as they ship, and what is known of them.

`engine/` in the source tree is where they come from; `make engine` writes everything here but this
file.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

Format = Literal["gguf", "onnx"]
VARIANTS: dict[Format, str] = {"gguf": "llama", "onnx": "onnx"}


class Module(msgspec.Struct, frozen=True):
    """A module's digest (hexadecimal SHA-256) and size."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """What was built from which sources with which compiler."""

    version: str
    toolchain: str
    sources: str
    modules: dict[str, Module]


def module_name(format: Format) -> str:  # noqa: A002 - the models' word
    """The file name of the module that serves models of this format."""
    return f"engine-{VARIANTS[format]}.wasm"


def module_path(format: Format) -> Path:  # noqa: A002
    """Where the module that serves models of this format lies."""
    return _file(module_name(format))


def manifest() -> Manifest:
    """The description of the modules that ship."""
    return msgspec.json.decode(_file("engine.json").read_bytes(), type=Manifest)


def sbom_path() -> Path:
    """The bill of materials of the modules, CycloneDX in JSON."""
    return _file("sbom.cdx.json")


def operators() -> frozenset[str]:
    """The names of the ONNX operators that the engine can run.

    A model that uses another is refused at start. Some of these run only with some of their
    attributes, which shows when the engine prepares the model.
    """
    return frozenset(msgspec.json.decode(_file("operators.json").read_bytes(), type=list[str]))


def _file(name: str) -> Path:
    # Wheels are unpacked when installed, so resources are files.
    return Path(str(resources.files(__package__) / name))
