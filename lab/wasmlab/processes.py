"""Long-running programs whose output goes to a log of their own."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import LabError
from .shell import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

STOP_SECONDS = 5.0


@dataclass
class Component:
    """One program of the cluster: how it is started, and where it says what it does."""

    name: str
    command: Sequence[str | Path]
    log: Path
    # Words put before the command, such as an nsenter that moves it into namespaces.
    prefix: Sequence[str] = ()
    # File descriptors the program gets besides the usual three.
    inherited: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C here does not reach it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        words = [*self.prefix, *(str(word) for word in self.command)]
        with self.log.open("ab") as log:
            try:
                self.process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=tuple(self.inherited),
                )
            except OSError as error:
                raise LabError(f"cannot start {self.name}: {error}") from error

    @property
    def pid(self) -> int:
        """The process number; only a started component has one."""
        if self.process is None:
            raise LabError(f"{self.name} was not started")
        return self.process.pid

    def check(self) -> None:
        """Raise when it has ended, with the last words of its log."""
        if self.process is not None and (code := self.process.poll()) is not None:
            raise self.failure(f"{self.name} ended with code {code}")

    def failure(self, what: str) -> LabError:
        """An error about this component that shows its log."""
        return LabError(f"{what}; the end of its log:\n{tail(self.log)}", f"see {self.log}")

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it; kill it when it does not end in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_until(
    ready: Sequence[Component],
    question: str,
    probe: Callable[[], bool],
    timeout: float,
    interval: float = 0.1,
) -> None:
    """Ask `probe` until it is true; give up early when a component has ended.

    `question` names what is waited for, in the words of the error; seconds throughout.
    """
    deadline = time.monotonic() + timeout
    while not probe():
        for component in ready:
            component.check()
        if time.monotonic() > deadline:
            raise ready[-1].failure(f"waited {timeout:.0f} s, but {question} did not come true")
        time.sleep(interval)
