"""A terminal's second screen, redrawn in one piece: nothing flickers, and what stood there before
stands there again afterwards."""

from __future__ import annotations

import shutil
from itertools import accumulate
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from types import TracebackType

# DEC and ECMA-48, as every terminal since the VT100 knows them.
ENTER = "\x1b[?1049h\x1b[?25l"  # the second screen, without a cursor
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def _fitting(lines: list[str]) -> int:
    """How many lines fit, all or with one for the remark; one that is too wide takes several."""
    size = shutil.get_terminal_size((80, 24))
    taken = [max(1, -(-len(click.unstyle(line)) // size.columns)) for line in lines]
    if sum(taken) <= size.lines:
        return len(lines)
    rows = list(accumulate(taken))
    return sum(row < size.lines for row in rows)


class Screen:
    """In use while its context lasts. ``drawn`` is the whole of what was drawn last."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.drawn = ""

    def __enter__(self) -> None:
        self._write(ENTER)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write(LEAVE)

    def draw(self, text: str) -> None:
        """From the top, as much as the screen holds; its last line says how much it does not."""
        self.drawn = text
        lines = text.rstrip("\n").split("\n")
        shown = _fitting(lines)
        if shown < len(lines):
            hidden = len(lines) - shown
            lines = [*lines[:shown], f"({hidden} lines more; -q shows the root causes only)"]
        body = "\r\n".join(line + REST_OF_LINE for line in lines)
        self._write(f"{HOME}{body}{REST_OF_SCREEN}")

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
