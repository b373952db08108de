"""The socket calls as the engine makes them, on real sockets and a memory of bytes."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from kubectl_wasmai.local.sockets import AGAIN, BAD_DESCRIPTOR, CALLS, INVALID, IO_ERROR, Sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS, BUFFER, RESULT, FLAGS, DATA, EVENTS = 0, 16, 32, 40, 64, 512
CLOCK, READ, WRITE = 0, 1, 2


class Bytes:
    """A memory of 1 KiB."""

    def __init__(self) -> None:
        self.all = bytearray(1024)

    def read(self, start: int, stop: int) -> bytes:
        if stop > len(self.all):
            raise IndexError(stop)
        return bytes(self.all[start:stop])

    def write(self, data: bytes, start: int) -> None:
        if start + len(data) > len(self.all):
            raise IndexError(start)
        self.all[start : start + len(data)] = data

    def number(self, at: int = RESULT) -> int:
        found: int = struct.unpack_from("<I", self.all, at)[0]
        return found

    def buffer(self, data: bytes | int, at: int = BUFFER) -> None:
        """A {data, length} pair, with the data or room for it."""
        raw = bytes(data) if isinstance(data, int) else data
        self.write(struct.pack("<II", DATA, len(raw)), at)
        self.write(raw, DATA)


class Guest:
    """The engine's side."""

    def __init__(self) -> None:
        self.memory, self.sockets = Bytes(), Sockets()

    def call(self, name: str, *numbers: int) -> int:
        assert len(numbers) == CALLS[name]
        return self.sockets.call(name, self.memory, *numbers)

    def listen(self) -> tuple[int, int]:
        """Descriptor and port of a listener that does not block."""
        assert self.call("sock_open", 1, 2, RESULT) == 0
        listener = self.memory.number()
        self.memory.buffer(bytes([127, 0, 0, 1]), ADDRESS)
        assert self.call("sock_setsockopt", listener, 0, 0, RESULT, 4) == 0
        assert self.call("sock_bind", listener, ADDRESS, 0) == 0
        assert self.call("sock_listen", listener, 8) == 0
        assert self.call("fd_fdstat_set_flags", listener, 4) == 0
        return listener, self.sockets._open[listener].getsockname()[1]

    def accept(self, listener: int) -> int:
        assert self.poll((7, READ, listener), milliseconds=5000) == [(7, READ)]
        assert self.call("sock_accept", listener, RESULT) == 0
        connection = self.memory.number()
        assert self.call("fd_fdstat_set_flags", connection, 4) == 0
        return connection

    def receive(self, connection: int, size: int = 100) -> bytes | int:
        self.memory.buffer(size)
        error = self.call("sock_recv", connection, BUFFER, 1, 0, RESULT, FLAGS)
        return error or self.memory.read(DATA, DATA + self.memory.number())

    def poll(self, *wanted: tuple[int, int, int], milliseconds: int) -> list[tuple[int, int]]:
        rows = [*((*each, 0) for each in wanted), (9, CLOCK, 1, milliseconds * 1_000_000)]
        packed = b"".join(struct.pack("<QQQQ16x", *row) for row in rows)
        self.memory.write(packed, DATA)
        assert self.call("poll_oneoff", DATA, EVENTS, len(rows), RESULT) == 0
        found = [
            struct.unpack_from("<QHB", self.memory.all, EVENTS + 32 * each)
            for each in range(self.memory.number())
        ]
        return [(user, kind) for user, _, kind in found]


@pytest.fixture
def guest() -> Iterator[Guest]:
    one = Guest()
    yield one
    for each in one.sockets._open.values():
        each.close()


def test_a_request_comes_in_and_an_answer_goes_out(guest: Guest) -> None:
    listener, port = guest.listen()
    with socket.create_connection(("127.0.0.1", port)) as client:
        connection = guest.accept(listener)
        assert guest.receive(connection) == AGAIN
        client.sendall(b"hello")
        assert guest.poll((1, READ, connection), milliseconds=5000) == [(1, READ)]
        assert guest.receive(connection) == b"hello"

        guest.memory.buffer(b"world")
        assert guest.call("sock_send", connection, BUFFER, 1, 0, RESULT) == 0
        assert guest.memory.number() == 5
        assert client.recv(100) == b"world"
        assert guest.call("sock_shutdown", connection, 2) == 0
        assert client.recv(100) == b""
    assert guest.poll((1, READ, connection), milliseconds=5000) == [(1, READ)]
    assert guest.receive(connection) == b""
    assert guest.call("fd_close", connection) == 0
    assert guest.receive(connection) == BAD_DESCRIPTOR


def test_reading_and_writing_of_one_socket_are_told_apart(guest: Guest) -> None:
    listener, port = guest.listen()
    with socket.create_connection(("127.0.0.1", port)) as client:
        connection = guest.accept(listener)
        both = (1, READ, connection), (2, WRITE, connection)
        assert guest.poll(*both, milliseconds=5000) == [(2, WRITE)]
        client.sendall(b"x")
        assert guest.poll(both[0], milliseconds=5000) == [(1, READ)]
        assert guest.poll(*both, milliseconds=5000) == [(1, READ), (2, WRITE)]


def test_the_clock_ends_a_wait(guest: Guest) -> None:
    listener, _ = guest.listen()

    assert guest.poll((1, READ, listener), milliseconds=10) == [(2**64 - 1, CLOCK)]
    assert guest.poll(milliseconds=1) == [(2**64 - 1, CLOCK)]


def test_nobody_there_to_accept_is_no_failure(guest: Guest) -> None:
    listener, _ = guest.listen()

    assert guest.call("sock_accept", listener, RESULT) == AGAIN


def test_a_port_that_is_taken_is_an_error(guest: Guest) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert guest.call("sock_open", 1, 2, RESULT) == 0
        guest.memory.buffer(bytes([127, 0, 0, 1]), ADDRESS)
        taken = other.getsockname()[1]
        assert guest.call("sock_bind", guest.memory.number(), ADDRESS, taken) == IO_ERROR


@pytest.mark.parametrize("name", [name for name in CALLS if name not in {"sock_open", "fd_close"}])
def test_a_descriptor_that_is_not_open_is_refused(guest: Guest, name: str) -> None:
    if name == "poll_oneoff":
        guest.memory.write(struct.pack("<QQQQ16x", 1, READ, 99, 0), DATA)
        numbers = [DATA, EVENTS, 1, RESULT]
    else:
        numbers = [99, *[DATA] * (CALLS[name] - 1)]
    assert guest.call(name, *numbers) == BAD_DESCRIPTOR


def test_pointers_beyond_the_memory_and_other_kinds_of_sockets_are_refused(guest: Guest) -> None:
    assert guest.call("sock_open", 1, 2, 5000) == INVALID
    assert guest.call("sock_open", 1, 1, RESULT) == INVALID
    assert guest.call("sock_open", 1, 2, RESULT) == 0
    assert guest.call("sock_bind", guest.memory.number(), 5000, 0) == INVALID


def test_a_file_of_the_runtimes_own_may_be_closed(guest: Guest) -> None:
    assert guest.call("fd_close", 4) == 0
