"""An engine as a child process: started, watched by its log lines, stopped."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from kubectl_wasmai.errors import WasmaiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LINES_KEPT = 20
_PATIENCE = 5.0
"""Seconds that a process gets to end."""
_PR_SET_PDEATHSIG = 1
"""prctl(2), of Linux."""


@dataclass
class Running:
    """An engine that listens, or has ended."""

    process: subprocess.Popen[str]
    began: float
    """``time.monotonic()`` when it was started."""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The first log line of each kind, by its event."""
    seen: dict[str, float] = field(default_factory=dict)
    """Seconds from the start of the process to that line."""
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))

    reader: threading.Thread | None = None
    """Reads what it writes once it listens."""

    def failure(self) -> WasmaiError:
        """Why it ended, in its own words."""
        try:
            code = self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return WasmaiError("the engine closed the connection without an answer, but runs on")
        if self.reader is not None:
            self.reader.join(_PATIENCE)
        for line in reversed(self.last):
            entry = _entry(line)
            if entry.get("level") == "error":
                hint = str(entry.get("hint") or "")
                return WasmaiError(str(entry.get("message") or entry.get("event")), hint)
        said = "\n".join(self.last) or "it wrote nothing"
        return WasmaiError(f"the engine ended with exit code {code}:\n{said}")

    def read(self, pass_on: Callable[[str], None] | None = None) -> None:
        """Read what it writes until it ends."""
        for line in self._lines():
            if pass_on:
                pass_on(line)

    def wait_until_listening(self, pass_on: Callable[[str], None] | None = None) -> None:
        """Raises WasmaiError where the engine ends instead."""
        for line in self._lines():
            if pass_on:
                pass_on(line)
            if "listening" in self.events:
                return
        raise self.failure()

    def _lines(self) -> Iterator[str]:
        for line in self.output:
            text = line.rstrip("\n")
            self.last.append(text)
            event = _entry(text).get("event")
            if isinstance(event, str) and event not in self.events:
                self.events[event] = _entry(text)
                self.seen[event] = time.monotonic() - self.began
            yield text

    @property
    def output(self) -> IO[str]:
        """Its standard error, where log lines come."""
        if self.process.stderr is None:
            raise ValueError("the process was started without a pipe")
        return self.process.stderr


@contextlib.contextmanager
def started(
    command: Sequence[str], pass_on: Callable[[str], None] | None = None
) -> Iterator[Running]:
    """An engine that listens; it is stopped afterwards, on Linux even if this program is killed.

    To be used by a thread that lives as long as the engine shall, with no other running.
    ``pass_on`` gets every line that it writes. Raises WasmaiError where it does not start.
    """
    began = time.monotonic()
    # A session of its own: an interrupt at the terminal is for this program to judge.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_ends_with_us(),  # noqa: PLW1509 - no other thread runs yet, as said above
    )
    running = Running(process, began)
    try:
        running.wait_until_listening(pass_on)
        running.reader = threading.Thread(target=running.read, args=(pass_on,), daemon=True)
        running.reader.start()
        yield running
    finally:
        stop(process)
        if running.reader is not None:
            running.reader.join(_PATIENCE)
        running.output.close()


def stop(process: subprocess.Popen[str]) -> None:
    """End it, by force if need be."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ends_with_us() -> Callable[[], None] | None:
    """What a child does before it becomes the engine; nothing where the system cannot do it.

    The kernel kills it when the thread that started it ends, however that comes, and keeps to that
    when a program is executed. So it holds for every runtime, and costs none of them a helper.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Found before the fork: the child can only count on what is there.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # It ended before it was asked about.
            os._exit(1)

    return ask_the_kernel


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
