"""Bytes that are read in pieces: from memory, from a file, from a part of a file."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 1 << 20
"""Bytes in memory at a time."""

Advance = Callable[[int], None]
"""Told how many bytes more are done."""


class Content(Protocol):
    """Something of known size that can be read again and again."""

    @property
    def size(self) -> int:
        """In bytes."""

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from ``start`` on. Raises InputError where they cannot be read."""


@dataclass(frozen=True)
class Bytes:
    """Content in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        if start < len(self.data):
            yield self.data[start:]


@dataclass(frozen=True)
class FilePart:
    """``size`` bytes of a file from ``offset`` on. The file must not change meanwhile."""

    path: Path
    size: int
    offset: int = 0

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        left = self.size - start
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset + start)
                while left > 0:
                    piece = file.read(min(PIECE, left))
                    if not piece:
                        raise InputError(
                            f"{self.path} became shorter while it was read",
                            "wait until it is written completely, then try again",
                        )
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error


@dataclass(frozen=True)
class Slice:
    """``size`` bytes of other content from ``offset`` on."""

    content: Content
    offset: int
    size: int

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        left = self.size - start
        for piece in self.content.pieces(self.offset + start) if left > 0 else ():
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return


@dataclass(frozen=True)
class Joined:
    """One after the other."""

    parts: Sequence[Content]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        for part in self.parts:
            if start < part.size:
                yield from part.pieces(start)
            start = max(0, start - part.size)


@dataclass
class Hashing:
    """Content that knows its own digest once it has been read to its end."""

    content: Content
    digest: str = ""

    @property
    def size(self) -> int:
        return self.content.size

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        hasher = hashlib.sha256()
        for piece in self.content.pieces(start):
            hasher.update(piece)
            yield piece
        self.digest = "" if start else f"sha256:{hasher.hexdigest()}"


@dataclass(frozen=True)
class Member:
    """A file of a tar: absolute or relative path, content, and whether it may be executed."""

    name: str
    content: Content
    executable: bool = False


END_OF_TAR = Bytes(bytes(2 * tarfile.BLOCKSIZE))


def tar(members: Iterable[Member]) -> Joined:
    """An uncompressed tar, the same bytes for the same members on every machine.

    Owner root, no times, the order given; folders stand before what is in them. Not compressed:
    weights hardly shrink, and compressors differ between machines.
    """
    parts: list[Content] = []
    folders: set[str] = set()
    for member in members:
        for folder in _parents(member.name.lstrip("/")):
            if folder not in folders:
                folders.add(folder)
                parts.append(Bytes(_header(folder, 0, 0o755, tarfile.DIRTYPE)))
        parts += entry(member).parts
    return Joined([*parts, END_OF_TAR])


def entry(member: Member) -> Joined:
    """One file of a tar: header, content, and what fills its last block."""
    mode = 0o755 if member.executable else 0o644
    header = _header(member.name.lstrip("/"), member.content.size, mode, tarfile.REGTYPE)
    padding = bytes(-member.content.size % tarfile.BLOCKSIZE)
    return Joined([Bytes(header), member.content, Bytes(padding)])


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _header(name: str, size: int, mode: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type = size, mode, kind
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def digest_content(content: Content, advance: Advance | None = None) -> str:
    """``sha256:…`` of everything."""
    hasher = hashlib.sha256()
    for piece in content.pieces():
        hasher.update(piece)
        if advance:
            advance(len(piece))
    return f"sha256:{hasher.hexdigest()}"


def read_all(content: Content, most: int) -> bytes:
    """All bytes of something small. Raises InputError where it is larger than ``most``."""
    if content.size > most:
        raise InputError(f"{content.size} bytes where at most {most} were expected")
    return b"".join(content.pieces())
