"""Reads a ``.tar.gz`` or ``.tar`` in place, as something that a stranger may have made to harm.

Python's own ``tarfile`` trusts an archive in two ways that we must not: it reads a long name or a
pax header of any size into memory, and it unpacks whatever the compressed bytes grow into.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot.bounds import Budget, may_hold_objects, refuse_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP = b"\x1f\x8b"
HEAD = 512
"""Bytes that tell an archive from a plain file: a whole tar header."""

CHUNK = 1 << 20
"""Bytes that are unpacked at once."""
MAX_HEADER = 64 * 1024
MAX_GROWTH = 200
"""Lists of 30,000 like pods shrink 40 times; zeros shrink 1,000 times."""
FREE_BYTES = 64 * 1024 * 1024
"""Nothing so small is a bomb, whatever it grew from."""


def is_archive(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a gzip or tar file."""
    return head.startswith(GZIP) or head[257:262] == b"ustar"


def archive_members(head: bytes, rest: BinaryIO, name: str) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file that a snapshot may hold, in the archive's order.

    Raises ``InputError`` for what is damaged, too large, or no plain file inside the archive.
    """
    packed = _Rejoined(head, rest)
    budget = Budget(name)
    try:
        plain: Any = gzip.GzipFile(fileobj=packed) if head.startswith(GZIP) else packed
        stream = cast("BinaryIO", _Growing(plain, packed, name))
        with tarfile.open(
            fileobj=stream, mode="r|", bufsize=CHUNK, tarinfo=_SmallHeaders
        ) as archive:
            for member in archive:
                path = _safe_path(member, name)
                budget.spend(str(path), member.size)
                if member.isreg() and may_hold_objects(path.name):
                    yield path.as_posix(), _content(archive, member, f"{path} in {name}")
        while stream.read(1 << 20):
            pass  # to the checksum, which stands behind the last member
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise InputError(
            f"{name} is damaged or was only half written: {error}",
            "ask for it again, or save a new one",
        ) from error


def _safe_path(member: tarfile.TarInfo, name: str) -> PurePosixPath:
    # Names need not be UTF-8; what is not becomes a question mark that can be printed.
    text = member.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    path = PurePosixPath(text)
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
    if not plain or member.sparse is not None or path.is_absolute() or ".." in path.parts:
        raise InputError(
            f"{name} holds {text!r}, which is no plain file inside the archive",
            "nothing was extracted; do not trust where this archive came from",
        )
    return path


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        return b""
    start = file.read(4096)
    refuse_binary(name, start)
    content = start + file.read()
    if len(content) < member.size:
        raise EOFError("unexpected end of data")
    return content


class _SmallHeaders(tarfile.TarInfo):
    """Refuses long names and pax headers that are larger than any name."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _SmallHeaders:
        member = super().frombuf(buf, encoding, errors)
        extended = not (member.isreg() or member.isdir() or member.islnk() or member.issym())
        if (extended and member.size > MAX_HEADER) or member.size < 0:
            raise tarfile.ReadError("it has a header of an impossible size")
        return member


class _Growing(io.RawIOBase):
    """What comes out of the decompressor, stopped where it grows as only a bomb does."""

    def __init__(self, plain: Any, packed: _Rejoined, name: str) -> None:
        super().__init__()
        self._plain, self._packed, self._name, self._count = plain, packed, name, 0

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._plain.read(size)
        self._count += len(chunk)
        if self._count > max(FREE_BYTES, MAX_GROWTH * self._packed.count):
            raise InputError(
                f"{self._name} grows to more than {MAX_GROWTH} times its size",
                "nothing was extracted; do not trust where this archive came from",
            )
        return chunk

    def readable(self) -> bool:
        return True


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already read. ``count``: the bytes given out."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head, self._rest, self.count = head, rest, 0

    def read(self, size: int = -1) -> bytes:
        head, self._head = (
            (self._head[:size], self._head[size:]) if size >= 0 else (self._head, b"")
        )
        chunk = head + self._rest.read(size - len(head) if size >= 0 else -1)
        self.count += len(chunk)
        return chunk

    def readable(self) -> bool:
        return True
