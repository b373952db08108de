"""What stream is a terminal, may be coloured, may move."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_CANNOT_MOVE = ("dumb", "unknown")


def redrawable(stream: TextIO, form: str) -> bool:
    """Whether ``--watch`` can show its latest look in place of the one before."""
    moves = stream.isatty() and os.environ.get("TERM") not in _CANNOT_MOVE
    return moves and form in ("table", "wide")


def color_wanted(stream: TextIO, choice: str = "auto") -> bool:
    """``--color`` beats NO_COLOR beats being a terminal (https://no-color.org)."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() and os.environ.get("TERM") not in _CANNOT_MOVE


@contextlib.contextmanager
def progress(title: str, *, silent: bool = False) -> Iterator[Callable[[str], None]]:
    """A spinner on stderr that says what is being done; silence where stderr is no terminal, or
    one that cannot go back."""
    if silent or not sys.stderr.isatty() or os.environ.get("TERM") in _CANNOT_MOVE:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(title)) as status:
        yield lambda step: status.update(Text(f"{title}: {step}"))


@contextlib.contextmanager
def transfers() -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Bars on stderr for transfers, with rate and time left; silence where it is no terminal.

    Yields what begins one: its name and bytes give a function that is told of bytes done.
    """
    if not sys.stderr.isatty():
        yield lambda _name, _total: lambda _count: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.DownloadColumn(binary_units=True),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as shown:

        def start(name: str, total: int) -> Callable[[int], None]:
            task = shown.add_task(name, total=total)
            return lambda count: shown.advance(task, count)

        yield start
