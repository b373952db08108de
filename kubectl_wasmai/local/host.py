"""Runs a module under wasmtime: WASI preview 1, and WasmEdge's sockets.

A program, so that an engine is a process that can be stopped:
``python -m kubectl_wasmai.local.host MODULE FOLDER GUEST_FOLDER ARGUMENT...``. The module sees
FOLDER as GUEST_FOLDER, to read only.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import wasmtime

from kubectl_wasmai.local.sockets import CALLS, Sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREVIEW1 = "wasi_snapshot_preview1"
TRAPPED = 134
"""As a shell shows a program that aborted."""
_U32 = 0xFFFFFFFF


class CallerMemory:
    """The memory of the module that calls."""

    def __init__(self, caller: wasmtime.Caller) -> None:
        memory = caller.get("memory")
        if not isinstance(memory, wasmtime.Memory):
            raise TypeError("the module exports no memory")
        self._memory, self._caller = memory, caller

    def read(self, start: int, stop: int) -> bytes:
        """As ``sockets.Memory``."""
        return bytes(self._memory.read(self._caller, start, stop))

    def write(self, data: bytes, start: int) -> None:
        """As ``sockets.Memory``."""
        self._memory.write(self._caller, data, start)


def run(module: str, folder: str, guest_folder: str, arguments: Sequence[str]) -> int:
    """Run the module to its end; its exit code."""
    engine = wasmtime.Engine(_configuration())
    store = wasmtime.Store(engine)
    store.set_wasi(_wasi(folder, guest_folder, arguments))
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    _define_sockets(linker)
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, module))
    start = instance.exports(store)["_start"]
    if not isinstance(start, wasmtime.Func):
        raise TypeError(f"{module} has no function _start")
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except wasmtime.Trap as trap:
        sys.stderr.write(f"trap: {trap.message}\n")
        return TRAPPED
    return 0


def _configuration() -> wasmtime.Config:
    configuration = wasmtime.Config()
    # Compiling takes seconds; where there is no home to keep the result in, it does so each time.
    with contextlib.suppress(wasmtime.WasmtimeError):
        configuration.cache = True
    return configuration


def _wasi(folder: str, guest_folder: str, arguments: Sequence[str]) -> wasmtime.WasiConfig:
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["engine", *arguments]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(folder, guest_folder, fs_mutable=False)
    return wasi


def _define_sockets(linker: wasmtime.Linker) -> None:
    sockets = Sockets()
    i32 = wasmtime.ValType.i32()

    def bound(name: str) -> Callable[..., int]:
        # Pointers above 2 GiB come as negative numbers.
        return lambda caller, *numbers: sockets.call(
            name, CallerMemory(caller), *(number & _U32 for number in numbers)
        )

    linker.allow_shadowing = True
    for name, count in CALLS.items():
        kind = wasmtime.FuncType([i32] * count, [i32])
        linker.define_func(PREVIEW1, name, kind, bound(name), access_caller=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
