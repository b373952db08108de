"""Saying what the lab does: one line per step, and a moving line for what takes minutes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from .errors import LabError
from .shell import TAIL_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Without a terminal a line every so many seconds is enough for a log.
QUIET_INTERVAL = 15.0


def step(text: str) -> None:
    """One step, on stderr: stdout is for what a command was asked to print."""
    print(f"* {text}", file=sys.stderr, flush=True)


class ProgressLine:
    """Elapsed seconds and the latest words of a long command, rewritten in place on a terminal."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.shown = self.started

    def update(self, words: str) -> None:
        """Show new words; rarely when nobody watches."""
        now = time.monotonic()
        if now - self.shown < (0.2 if self.terminal else QUIET_INTERVAL):
            return
        self.shown = now
        line = f"  {self.title}: {now - self.started:.0f} s, {words}"
        if self.terminal:
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            print(f"\r\033[K{line[:width]}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def finish(self) -> None:
        """End the line and say how long it took."""
        start = "\r\033[K" if self.terminal else ""
        seconds = time.monotonic() - self.started
        print(f"{start}  {self.title}: {seconds:.0f} s", file=sys.stderr, flush=True)


def run_long(
    title: str,
    command: Sequence[str | Path],
    *,
    describe: Callable[[str], str] = str,
    hint: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command of minutes; its latest output line is the progress, its last ones the error.

    The command gets a process group of its own, which ends whole when this is interrupted.
    """
    words = [str(word) for word in command]
    last: deque[str] = deque(maxlen=TAIL_LINES)
    line = ProgressLine(title)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise LabError(f"cannot run {words[0]}: not found", hint) from error
    with process:  # closes the pipe
        try:
            for output in process.stdout or ():
                last.append(output.rstrip())
                line.update(describe(output.strip()))
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            line.finish()
    if code != 0:
        said = "\n".join(last)
        raise LabError(f"{title} ended with {code}:\n{said}", hint)
