"""Runs the engine under wasmtime: WASI preview 1, and WasmEdge's sockets made from Python's.

Used as a program, so that a server under test is a process that can be stopped:
`python wasmtime_host.py MODULE FOLDER ARGUMENT...`; FOLDER is the engine's root folder.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import wasmtime

PREVIEW1 = "wasi_snapshot_preview1"
SUCCESS, AGAIN, BAD_FD, IO_ERROR, INVALID = 0, 6, 8, 29, 28
FIRST_SOCKET = 1000
SUBSCRIPTION, EVENT = 48, 32
CLOCK, READ, WRITE = 0, 1, 2


class Sockets:
    """The host's side of the engine's sockets. Descriptors start above WASI's own."""

    def __init__(self) -> None:
        self.open: dict[int, socket.socket] = {}
        self.next = FIRST_SOCKET

    def add(self, one: socket.socket) -> int:
        fd, self.next = self.next, self.next + 1
        self.open[fd] = one
        return fd


def memory(caller: Any) -> wasmtime.Memory:
    found = caller.get("memory")
    assert isinstance(found, wasmtime.Memory)
    return found


def read_buffer(caller: Any, pointer: int) -> tuple[int, int]:
    """A `{data, length}` pair."""
    data, length = struct.unpack("<II", bytes(memory(caller).read(caller, pointer, pointer + 8)))
    return data, length


def define_sockets(linker: wasmtime.Linker) -> None:
    sockets = Sockets()
    i32 = wasmtime.ValType.i32()

    def define(name: str, parameters: int, call: Any) -> None:
        kind = wasmtime.FuncType([i32] * parameters, [i32])
        linker.define_func(PREVIEW1, name, kind, call, access_caller=True)

    def write_u32(caller: Any, pointer: int, value: int) -> None:
        memory(caller).write(caller, struct.pack("<I", value), pointer)

    def sock_open(caller: Any, family: int, kind: int, result: int) -> int:
        if kind != 2:
            return INVALID
        one = socket.socket(socket.AF_INET6 if family == 2 else socket.AF_INET)
        write_u32(caller, result, sockets.add(one))
        return SUCCESS

    def sock_setsockopt(caller: Any, fd: int, level: int, name: int, value: int, size: int) -> int:
        sockets.open[fd].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return SUCCESS

    def sock_bind(caller: Any, fd: int, address: int, port: int) -> int:
        data, length = read_buffer(caller, address)
        raw = bytes(memory(caller).read(caller, data, data + length))
        family = socket.AF_INET6 if length == 16 else socket.AF_INET
        try:
            sockets.open[fd].bind((socket.inet_ntop(family, raw), port))
        except OSError:
            return IO_ERROR
        return SUCCESS

    def sock_listen(caller: Any, fd: int, backlog: int) -> int:
        sockets.open[fd].listen(backlog)
        return SUCCESS

    def sock_accept(caller: Any, fd: int, result: int) -> int:
        try:
            one, _ = sockets.open[fd].accept()
        except BlockingIOError:
            return AGAIN
        except OSError:
            return IO_ERROR
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        write_u32(caller, result, sockets.add(one))
        return SUCCESS

    def sock_recv(
        caller: Any, fd: int, buffers: int, count: int, flags: int, size: int, out: int
    ) -> int:
        data, length = read_buffer(caller, buffers)
        try:
            received = sockets.open[fd].recv(length)
        except BlockingIOError:
            return AGAIN
        except OSError:
            return IO_ERROR
        memory(caller).write(caller, received, data)
        write_u32(caller, size, len(received))
        return SUCCESS

    def sock_send(caller: Any, fd: int, buffers: int, count: int, flags: int, size: int) -> int:
        data, length = read_buffer(caller, buffers)
        try:
            sent = sockets.open[fd].send(bytes(memory(caller).read(caller, data, data + length)))
        except BlockingIOError:
            return AGAIN
        except OSError:
            return IO_ERROR
        write_u32(caller, size, sent)
        return SUCCESS

    def sock_shutdown(caller: Any, fd: int, how: int) -> int:
        try:
            sockets.open[fd].shutdown(socket.SHUT_WR if how == 2 else socket.SHUT_RDWR)
        except OSError:
            return IO_ERROR
        return SUCCESS

    def poll_oneoff(caller: Any, subscriptions: int, events: int, count: int, result: int) -> int:
        raw = bytes(
            memory(caller).read(caller, subscriptions, subscriptions + count * SUBSCRIPTION)
        )
        poller = select.poll()
        wanted: dict[int, list[tuple[int, int]]] = {}
        masks: dict[int, int] = {}
        timeout = None
        for at in range(0, len(raw), SUBSCRIPTION):
            user_data, tag, which, nanoseconds = struct.unpack_from("<QQQQ", raw, at)
            if tag == CLOCK:
                timeout = nanoseconds / 1e6
                continue
            number = sockets.open[which].fileno()
            wanted.setdefault(number, []).append((user_data, tag))
            masks[number] = masks.get(number, 0) | (
                select.POLLIN if tag == READ else select.POLLOUT
            )
        for number, mask in masks.items():
            poller.register(number, mask)
        happened = [
            (user_data, tag)
            for number, seen in poller.poll(timeout)
            for user_data, tag in wanted[number]
            if seen & ((select.POLLIN if tag == READ else select.POLLOUT) | ~3)
        ]
        packed = b"".join(struct.pack("<QHBxxxxxQQ", user, 0, tag, 0, 0) for user, tag in happened)
        if not happened:
            packed = struct.pack("<QHBxxxxxQQ", 2**64 - 1, 0, CLOCK, 0, 0)
        memory(caller).write(caller, packed, events)
        write_u32(caller, result, len(packed) // EVENT)
        return SUCCESS

    # wasmtime's own functions cannot be called from here: they take their memory from a calling
    # module. So a file that the engine closes stays open; it opens each model once.
    def fd_fdstat_set_flags(caller: Any, fd: int, flags: int) -> int:
        if fd not in sockets.open:
            return BAD_FD
        sockets.open[fd].setblocking(False)
        return SUCCESS

    def fd_close(caller: Any, fd: int) -> int:
        if fd in sockets.open:
            sockets.open.pop(fd).close()
        return SUCCESS

    linker.allow_shadowing = True
    define("sock_open", 3, sock_open)
    define("sock_setsockopt", 5, sock_setsockopt)
    define("sock_bind", 3, sock_bind)
    define("sock_listen", 2, sock_listen)
    define("sock_accept", 2, sock_accept)
    define("sock_recv", 6, sock_recv)
    define("sock_send", 5, sock_send)
    define("sock_shutdown", 2, sock_shutdown)
    define("poll_oneoff", 4, poll_oneoff)
    define("fd_fdstat_set_flags", 2, fd_fdstat_set_flags)
    define("fd_close", 1, fd_close)


def run(module: Path, folder: Path, arguments: list[str]) -> int:
    """Runs the engine; its exit code. A trap is 134, as a shell shows it."""
    configuration = wasmtime.Config()
    configuration.cache = True
    engine = wasmtime.Engine(configuration)
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["engine", *arguments]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(str(folder), "/")
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    define_sockets(linker)
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, str(module)))
    start = instance.exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except wasmtime.Trap as trap:
        print(f"trap: {trap.message}", file=sys.stderr)
        return 134
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
