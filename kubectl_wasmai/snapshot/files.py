"""Reads the members of a snapshot: one file, a directory, a ``.tar.gz``, or standard input.

Whatever a stranger sends must be harmless: nothing is ever extracted to disk, links and odd
names are refused, and sizes are bounded before they are read.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MEMBER = 1024 * 1024 * 1024
"""Bytes of one file: the pods of 30,000-pod clusters take about 300 MB."""
MAX_TOTAL = 2 * MAX_MEMBER
MAX_MEMBERS = 20_000
SUFFIXES = (".json", ".yaml", ".yml", ".log", ".prom")
FOLDERS = ("logs", "metrics")
"""Those whose names mean something; all others are only for order."""


def read_members(source: str) -> Iterator[tuple[str, bytes]]:
    """Relative path and content of each member, in name order; ``-`` is standard input.

    Raises ``InputError`` for what does not exist, is too large, is damaged or tries to escape.
    """
    if source == "-":
        yield from _stream(sys.stdin.buffer, "standard input")
        return
    path = Path(source)
    try:
        if path.is_dir():
            yield from _directory(path)
        elif path.is_file():
            with path.open("rb") as file:
                yield from _stream(file, str(path))
        else:
            raise InputError(
                f"cannot read the snapshot {source}: no such file or directory",
                "make one with: kubectl wasmai snapshot save FILE.tar.gz",
            )
    except OSError as error:
        raise InputError(f"cannot read the snapshot {source}: {error.strerror or error}") from error


def _directory(root: Path) -> Iterator[tuple[str, bytes]]:
    budget = _Budget(str(root))
    for path in sorted(root.rglob("*")):
        if path.suffix not in SUFFIXES or not path.is_file() or path.is_symlink():
            continue
        budget.spend(path.name, path.stat().st_size)
        yield path.relative_to(root).as_posix(), path.read_bytes()


def _stream(file: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    head = file.read(2)
    if head == b"\x1f\x8b":
        yield from _archive(_Rejoined(head, file), name)
        return
    content = head + file.read(MAX_MEMBER)
    if len(content) > MAX_MEMBER:
        raise InputError(f"{name} is larger than {MAX_MEMBER >> 20} MiB")
    if not content.strip():
        raise InputError(f"{name} is empty", "a snapshot holds Kubernetes objects as JSON or YAML")
    suffix = ".json" if content.lstrip()[:1] in (b"{", b"[") else ".yaml"
    yield "objects" + suffix, content


def _archive(file: _Rejoined, name: str) -> Iterator[tuple[str, bytes]]:
    budget = _Budget(name)
    try:
        with tarfile.open(fileobj=file, mode="r|gz") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if member.isdir():
                    continue
                if not member.isreg() or path.is_absolute() or ".." in path.parts:
                    raise InputError(
                        f"{name} holds {member.name!r}, which is no plain file inside the archive",
                        "nothing was extracted; do not trust where this archive came from",
                    )
                if path.suffix not in SUFFIXES:
                    continue
                budget.spend(member.name, member.size)
                content = archive.extractfile(member)
                yield _inner_name(path), content.read() if content else b""
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(
            f"{name} is damaged or was only half written: {error}",
            "ask for it again, or save a new one",
        ) from error


def _inner_name(path: PurePosixPath) -> str:
    """Without a leading folder that only wraps the snapshot, so that ``logs/`` comes first."""
    parts = [part for part in path.parts if part != "."]
    if parts[1:2] and parts[1] in FOLDERS and parts[0] not in FOLDERS:
        parts = parts[1:]
    return "/".join(parts)


class _Budget:
    """Counts members and bytes, and refuses before they are read."""

    def __init__(self, name: str) -> None:
        self._name, self._bytes, self._members = name, 0, 0

    def spend(self, member: str, size: int) -> None:
        self._bytes += size
        self._members += 1
        if size > MAX_MEMBER or self._bytes > MAX_TOTAL or self._members > MAX_MEMBERS:
            raise InputError(
                f"{self._name} is too large: {member} brings it over {MAX_TOTAL >> 20} MiB "
                f"or {MAX_MEMBERS} files",
                "save a snapshot of fewer namespaces with -n",
            )


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already read."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head[:size] if size >= 0 else self._head, b""
        return head + self._rest.read(size - len(head) if size >= 0 else -1)

    def readable(self) -> bool:
        return True
