"""Running other programs: one place that turns a failure into words."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAIL_LINES = 15


def run(
    command: Sequence[str | Path],
    *,
    hint: str = "",
    stdin: Path = Path(os.devnull),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run to the end and return standard output; a failure shows the end of both streams."""
    words = [str(word) for word in command]
    try:
        with stdin.open("rb") as source:
            done = subprocess.run(
                words,
                stdin=source,
                capture_output=True,
                check=False,
                env=None if env is None else dict(env),
                cwd=cwd,
            )
    except FileNotFoundError as error:
        raise LabError(f"cannot run {words[0]}: not found", hint) from error
    if done.returncode != 0:
        said = tail_text((done.stdout + done.stderr).decode(errors="replace"))
        raise LabError(
            f"`{' '.join(words)}` ended with {done.returncode}:\n{said or '(no output)'}", hint
        )
    return done.stdout.decode(errors="replace")


def require(program: str, hint: str) -> str:
    """The full path of a program on PATH, or an error that says how to get it."""
    # Debian keeps debootstrap and ip where a plain user's PATH does not look.
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        raise LabError(f"the program `{program}` was not found", hint)
    return found


def tail_text(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines, where programs say why they stopped."""
    return "\n".join(text.strip().splitlines()[-lines:])


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, or a note that there is none."""
    try:
        # The end is enough; a component's log may be large.
        with log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 32_768))
            return tail_text(stream.read().decode(errors="replace"), lines) or "(empty)"
    except OSError as error:
        return f"(no log: {error})"
