"""The engine compiled ahead of time: 50 to 400 times faster than WasmEdge's interpreter.

``wasmedge compile`` makes a shared object for one CPU architecture and one version of WasmEdge.
crun loads it under the name of the module, since the loader goes by content. The universal form,
a module with compiled code in it, falls back to the interpreter without a word, and is not used.
``--generic-binary`` tunes for no special processor, but WasmEdge 0.14.1 uses all instructions of
the machine that compiles in spite of it (``getHostCPUFeatures`` in its lib/llvm/compiler.cpp; seen
in the code it makes). A node whose processor lacks one of them ends the pod with SIGILL, so the
image says for which instruction set it was compiled.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import InputError, MissingProgram, WasmaiError
from kubectl_wasmai.image.processor import CPUINFO, instruction_set

if TYPE_CHECKING:
    from kubectl_wasmai.image.engine import Engine

PROGRAM = "wasmedge"
_ELF = b"\x7fELF"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LAST_LINES = 5


def compile_engine(engine: Engine) -> tuple[str, Engine]:
    """The platform of this machine, and the engine compiled for it.

    What was compiled once is kept in the user's cache folder (XDG). Raises MissingProgram;
    InputError on machines that cannot compile for a node; WasmaiError where compiling failed.
    """
    target = _platform()
    program = shutil.which(PROGRAM)
    if program is None:
        raise MissingProgram(
            "wasmedge is not on PATH; it compiles the engine",
            "install the version that the nodes have: apt install wasmedge (Debian 13), or "
            "https://wasmedge.org/docs/start/install",
        )
    version = _version(program)
    processor = instruction_set(target.rpartition("/")[2], CPUINFO.read_text(errors="replace"))
    path = _cache() / f"{engine.digest[7:]}-{version}-{processor}.so"
    if not path.exists():
        _compile(program, engine.path, path)
    compiled = f"WasmEdge {version} on {processor}"
    return target, replace(engine, path=path, compiled=compiled, origin=engine.digest)


def _platform() -> str:
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if platform.system() != "Linux" or architecture is None:
        raise InputError(
            f"{platform.system()} on {platform.machine()} cannot compile for a Linux node",
            "build with --aot on a Linux machine of the nodes' architecture",
        )
    return f"linux/{architecture}"


def _version(program: str) -> str:
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, errors="replace", check=False
    ).stdout
    match = re.search(r"version (\d+\.\d+\.\d+[\w.+-]*)", said)
    if match is None:
        raise WasmaiError(f"{program} --version says no version: {said.strip()[:200]!r}")
    return match[1]


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "kubectl-wasmai" / "aot"


def _compile(program: str, module: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.stem}.{os.getpid()}.so")
    try:
        done = subprocess.run(
            [program, "compile", "--generic-binary", str(module), str(new)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0 or not _is_elf(new):
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
            raise WasmaiError(
                f"wasmedge could not compile {module} (exit code {done.returncode}):\n{said}",
                "it needs up to 4 GB of memory for the ONNX engine; without --aot the image runs, "
                "slowly, where no compiler is",
            )
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False
