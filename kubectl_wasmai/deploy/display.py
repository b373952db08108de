"""The live view of a wait: on a terminal's stderr only. Elsewhere a wait is silent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_wasmai.deploy.text import clip, duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.status import Status

    from kubectl_wasmai.deploy.rollout import Progress

_PODS_SHOWN = 5
_SPINNER_WIDTH = 2


class LiveProgress:
    """Shows the latest :class:`Progress` until left; leaves nothing behind on the screen."""

    def __init__(self, name: str, timeout: float) -> None:
        self._name = name
        self._limit = f", at most {duration(timeout)}" if timeout > 0 else ""
        self._status: Status | None = None
        self._width = 80

    def __enter__(self) -> LiveProgress:  # noqa: PYI034 - Self is newer than Python 3.10
        if sys.stderr.isatty():
            from rich.console import Console

            console = Console(stderr=True)
            if console.is_terminal and not console.is_dumb_terminal:
                self._width = console.width
                self._status = console.status(f"waiting for {self._name}")
                self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, progress: Progress) -> None:
        if self._status is None:
            return
        from rich.text import Text

        width = self._width - _SPINNER_WIDTH
        head = f"{self._name}: {progress.ready} of {progress.desired} ready{self._limit}"
        lines = [head, *(f"  {line}" for line in progress.lines[:_PODS_SHOWN])]
        # Text, not str: what a cluster says is never markup.
        self._status.update(Text("\n".join(clip(line, width) for line in lines), no_wrap=True))
