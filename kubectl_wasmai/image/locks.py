"""Locks between processes on one folder; they end with the process that holds them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows: one process at a time is the user's to see to
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Busy(Exception):
    """Somebody else holds the lock, and waiting was not wanted."""


@contextlib.contextmanager
def locked(path: Path, *, exclusive: bool, wait: bool = True) -> Iterator[None]:
    """Hold the lock in the file ``path``. Raises Busy."""
    with path.open("a") as file:
        if fcntl is not None:
            kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
            try:
                fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy from error
        yield
