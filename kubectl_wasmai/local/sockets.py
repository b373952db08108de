"""WasmEdge's socket calls, which WASI preview 1 has not, made from Python's sockets.

docs/engine.md lists the calls. Numbers come as the module gives them; an answer is WASI's error
number. Descriptors start above those of a runtime's own files.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from typing import Protocol

SUCCESS, AGAIN, BAD_DESCRIPTOR, INVALID, IO_ERROR = 0, 6, 8, 28, 29
FIRST_DESCRIPTOR = 1000
INET6, STREAM, SEND_SIDE = 2, 2, 2
IPV6_BYTES = 16

CLOCK, READ, WRITE = 0, 1, 2
_SUBSCRIPTION = struct.Struct("<QQQQ16x")
"""User data, kind, descriptor or clock, timeout in ns; the rest is not used here."""
_EVENT = struct.Struct("<QHB5xQQ")
_NO_DESCRIPTOR = 2**64 - 1

CALLS = {
    "sock_open": 3,
    "sock_setsockopt": 5,
    "sock_bind": 3,
    "sock_listen": 2,
    "sock_accept": 2,
    "sock_recv": 6,
    "sock_send": 5,
    "sock_shutdown": 2,
    "poll_oneoff": 4,
    "fd_fdstat_set_flags": 2,
    "fd_close": 1,
}
"""Names, and how many parameters each has."""


class Memory(Protocol):
    """A module's memory. Raises IndexError beyond its end."""

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop``."""

    def write(self, data: bytes, start: int) -> None:
        """Put bytes at ``start``."""


class Sockets:
    """The open sockets of one module, and the calls on them."""

    def __init__(self) -> None:
        self._open: dict[int, socket.socket] = {}
        self._next = FIRST_DESCRIPTOR

    def call(self, name: str, memory: Memory, *numbers: int) -> int:
        """Do the call of that name, one of ``CALLS``; the answer is WASI's error number."""
        try:
            result: int = getattr(self, f"_{name}")(memory, *numbers)
        except BlockingIOError:
            return AGAIN
        except KeyError:
            return BAD_DESCRIPTOR
        except (IndexError, OverflowError, ValueError, struct.error):
            return INVALID
        except OSError:
            return IO_ERROR
        return result

    def _add(self, one: socket.socket) -> int:
        descriptor, self._next = self._next, self._next + 1
        self._open[descriptor] = one
        return descriptor

    def _sock_open(self, memory: Memory, family: int, kind: int, result: int) -> int:
        if kind != STREAM:
            return INVALID
        one = socket.socket(socket.AF_INET6 if family == INET6 else socket.AF_INET)
        _write_u32(memory, result, self._add(one))
        return SUCCESS

    def _sock_setsockopt(self, _memory: Memory, descriptor: int, *_: int) -> int:
        self._open[descriptor].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return SUCCESS

    def _sock_bind(self, memory: Memory, descriptor: int, address: int, port: int) -> int:
        raw = _buffer(memory, address)
        family = socket.AF_INET6 if len(raw) == IPV6_BYTES else socket.AF_INET
        self._open[descriptor].bind((socket.inet_ntop(family, raw), port))
        return SUCCESS

    def _sock_listen(self, _memory: Memory, descriptor: int, backlog: int) -> int:
        self._open[descriptor].listen(backlog)
        return SUCCESS

    def _sock_accept(self, memory: Memory, descriptor: int, result: int) -> int:
        one, _ = self._open[descriptor].accept()
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _write_u32(memory, result, self._add(one))
        return SUCCESS

    def _sock_recv(
        self, memory: Memory, descriptor: int, buffers: int, _count: int, _flags: int, *out: int
    ) -> int:
        data, length = _data_and_length(memory, buffers)
        received = self._open[descriptor].recv(length)
        memory.write(received, data)
        _write_u32(memory, out[0], len(received))
        return SUCCESS

    def _sock_send(
        self, memory: Memory, descriptor: int, buffers: int, _count: int, _flags: int, size: int
    ) -> int:
        sent = self._open[descriptor].send(_buffer(memory, buffers))
        _write_u32(memory, size, sent)
        return SUCCESS

    def _sock_shutdown(self, _memory: Memory, descriptor: int, how: int) -> int:
        one = self._open[descriptor]
        one.shutdown(socket.SHUT_WR if how == SEND_SIDE else socket.SHUT_RDWR)
        return SUCCESS

    def _fd_fdstat_set_flags(self, _memory: Memory, descriptor: int, _flags: int) -> int:
        self._open[descriptor].setblocking(False)
        return SUCCESS

    def _fd_close(self, _memory: Memory, descriptor: int) -> int:
        # A file is the runtime's, whose own call is out of reach: it stays open. The engine opens
        # each file once.
        if descriptor in self._open:
            self._open.pop(descriptor).close()
        return SUCCESS

    def _poll_oneoff(
        self, memory: Memory, subscriptions: int, events: int, count: int, result: int
    ) -> int:
        raw = memory.read(subscriptions, subscriptions + count * _SUBSCRIPTION.size)
        happened = self._wait(list(_SUBSCRIPTION.iter_unpack(raw)))
        packed = b"".join(_EVENT.pack(user, 0, kind, 0, 0) for user, kind in happened)
        memory.write(packed, events)
        _write_u32(memory, result, len(happened))
        return SUCCESS

    def _wait(self, wanted: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
        """User data and kind of what happened; the clock where nothing did in time."""
        masks: dict[socket.socket, int] = {}
        seconds = None
        for _, kind, which, nanoseconds in wanted:
            if kind == CLOCK:
                seconds = nanoseconds / 1e9
            else:
                one = self._open[which]
                masks[one] = masks.get(one, 0) | _SELECT[kind]
        ready = _select(masks, seconds)
        happened = [
            (user, kind)
            for user, kind, which, _ in wanted
            if kind != CLOCK and ready.get(self._open[which], 0) & _SELECT[kind]
        ]
        return happened or [(_NO_DESCRIPTOR, CLOCK)]


_SELECT = {READ: selectors.EVENT_READ, WRITE: selectors.EVENT_WRITE}
# poll needs no descriptor of its own, which a selector for one wait would open and close.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def _select(masks: dict[socket.socket, int], seconds: float | None) -> dict[socket.socket, int]:
    if not masks:
        # select refuses to wait for nothing on Windows.
        time.sleep(seconds or 0)
        return {}
    with _Selector() as selector:
        for one, mask in masks.items():
            selector.register(one, mask, one)
        return {key.data: mask for key, mask in selector.select(seconds)}


def _data_and_length(memory: Memory, pointer: int) -> tuple[int, int]:
    data, length = struct.unpack("<II", memory.read(pointer, pointer + 8))
    return data, length


def _buffer(memory: Memory, pointer: int) -> bytes:
    data, length = _data_and_length(memory, pointer)
    return memory.read(data, data + length)


def _write_u32(memory: Memory, pointer: int, value: int) -> None:
    memory.write(struct.pack("<I", value), pointer)
