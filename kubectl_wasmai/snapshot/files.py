"""Reads the members of a snapshot: one file, a directory, a ``.tar.gz``, or standard input.

Whatever a stranger sends must be harmless: nothing is ever extracted to disk, links and odd
names are refused, and sizes are bounded before they are read.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot.archive import HEAD, archive_members, is_archive
from kubectl_wasmai.snapshot.bounds import Budget, may_hold_objects, refuse_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[str, str], None]

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""Opening a pipe must not wait for a writer who may never come."""


def read_members(source: str, unreadable: Tell | None = None) -> Iterator[tuple[str, bytes]]:
    """Relative path and content of each member, in name order; ``-`` is standard input.

    Of a directory ``unreadable`` is told the names of files that may not be read, and why;
    without it they are an error. Raises ``InputError`` for what does not exist, is too large, is
    damaged or tries to escape.
    """
    try:
        if source == "-":
            yield from _stream(sys.stdin.buffer, "standard input")
        elif Path(source).is_dir():
            yield from _directory(source, unreadable)
        else:
            with _opened(source) as file:
                Budget(source).spend(source, os.fstat(file.fileno()).st_size)
                yield from _stream(file, source)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(
            f"cannot read the snapshot {source}: {reason}",
            "make one with: kubectl wasmai snapshot save FILE.tar.gz" if missing else "",
        ) from error


def _opened(source: str) -> BinaryIO:
    """A regular file, or a pipe that somebody writes to: ``--from <(kubectl get pods -o json)``."""
    descriptor = os.open(source, _READ)
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        os.close(descriptor)
        raise InputError(
            f"cannot read the snapshot {source}: it is a device",
            "give a file, a directory, or - for standard input",
        )
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _directory(source: str, unreadable: Tell | None) -> Iterator[tuple[str, bytes]]:
    """Links are not followed: they may lead out of the directory, or in a circle."""
    root, budget = Path(source), Budget(source)

    def tell(path: Path, error: OSError) -> None:
        reason = "a link" if error.errno == errno.ELOOP else str(error.strerror or error).lower()
        if unreadable is None:
            raise OSError(error.errno, f"{_shown(root, path)}: {reason}") from error
        unreadable(_shown(root, path), reason)

    for path in sorted(_below(root, tell)):
        try:
            content = _plain_file(path, budget)
        except OSError as error:
            tell(path, error)
        else:
            yield _shown(root, path), content


def _below(root: Path, tell: Callable[[Path, OSError], None]) -> Iterator[Path]:
    walk = os.walk(root, onerror=lambda error: tell(Path(error.filename), error))
    for folder, _, names in walk:
        yield from (Path(folder, name) for name in names if may_hold_objects(name))


def _shown(root: Path, path: Path) -> str:
    """A name that can be printed: on Linux a file's name need not be UTF-8."""
    name = path.relative_to(root).as_posix()
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _plain_file(path: Path, budget: Budget) -> bytes:
    descriptor = os.open(path, _READ | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(0, "no plain file")
        budget.spend(path.name, seen.st_size)
        return file.read(seen.st_size)


def _bounded(file: BinaryIO, name: str) -> bytes:
    """In pieces: asking for so many bytes as may come at most would take memory for all."""
    pieces, size = [], 0
    while piece := file.read(1 << 20):
        pieces.append(piece)
        size += len(piece)
        Budget(name).spend(name, size)
    return b"".join(pieces)


def _stream(file: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    head = file.read(HEAD)
    if is_archive(head):
        yield from archive_members(head, file, name)
        return
    refuse_binary(name, head)
    content = head + _bounded(file, name)
    if not content.strip():
        raise InputError(f"{name} is empty", "a snapshot holds Kubernetes objects as JSON or YAML")
    suffix = ".json" if content.lstrip()[:1] in (b"{", b"[") else ".yaml"
    yield "objects" + suffix, content
