"""What can run a module on this machine, and how it is called."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import InputError, MissingProgram
from kubectl_wasmai.image import aot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kubectl_wasmai.image.engine import Engine

WASMTIME = "wasmtime"
NAMES = (WASMTIME, aot.PROGRAM)
GUEST_FOLDER = "/models"
_INSTALL = "pip install 'kubectl-wasmai[local]'"


@dataclass(frozen=True)
class Runtime:
    """A runtime with an engine: who runs it, and the words before those of the engine."""

    name: str
    """With version, as people know it."""
    words: tuple[str, ...]
    """``{folder}`` among them is the model's folder, which the engine sees as GUEST_FOLDER."""

    def command(self, folder: Path, arguments: Sequence[str]) -> list[str]:
        """The command line of an engine process."""
        place = str(folder.absolute())
        return [*(word.replace("{folder}", place) for word in self.words), *arguments]


def missing(name: str) -> str:
    """What that runtime lacks on this machine; nothing where it can run."""
    if name == WASMTIME:
        found = importlib.util.find_spec(WASMTIME) is not None
        return "" if found else f"wasmtime is not installed for {sys.executable}"
    if platform.system() != "Linux":
        return "wasmedge is used on Linux alone"
    return "" if shutil.which(aot.PROGRAM) else "wasmedge is not on PATH"


def choose(wanted: str | None) -> str:
    """The runtime that is wanted, else the first there is. Raises MissingProgram."""
    lacks = {name: missing(name) for name in ((wanted,) if wanted else NAMES)}
    for name, lack in lacks.items():
        if not lack:
            return name
    raise MissingProgram(
        f"nothing here runs WebAssembly: {'; '.join(lacks.values())}",
        f"{_INSTALL}, or from a checkout: pip install '.[local]'"
        if WASMTIME in lacks
        else "apt install wasmedge (Debian 13), or https://wasmedge.org/docs/start/install",
    )


def prepare(name: str, engine: Engine, folder: Path) -> Runtime:
    """That runtime with the engine. Under wasmedge it is compiled first, which is kept.

    Raises InputError, WasmaiError.
    """
    if name == WASMTIME:
        version = importlib.metadata.version(WASMTIME)
        host = (sys.executable, "-m", "kubectl_wasmai.local.host")
        return Runtime(f"wasmtime {version}", (*host, str(engine.path), "{folder}", GUEST_FOLDER))
    if ":" in str(folder.absolute()):
        raise InputError(
            f"wasmedge cannot be given the folder {folder.absolute()}: ':' ends a path for it",
            "move the model, or use --runtime wasmtime",
        )
    _, compiled = aot.compile_engine(engine)
    mapping = f"{GUEST_FOLDER}:{{folder}}:readonly"
    return Runtime(compiled.compiled, (aot.PROGRAM, "--dir", mapping, str(compiled.path)))
