"""Reading numbers and texts out of binary files that strangers wrote.

Every length is checked against what is left before anything is read, so a file that lies about
itself costs neither memory nor time.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

LONGEST_TEXT = 1 << 16
"""Bytes. The longest texts that are of interest are chat templates, of some ten thousand."""
_BUFFER = 1 << 16


class Corrupt(ValueError):
    """The bytes do not follow the format; the message says where and how."""


class _Buffer:
    """The part of a file around the place that was last read."""

    __slots__ = ("_file", "data", "start")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.start = 0
        self.data = b""

    def fill(self, position: int) -> None:
        """Raises Corrupt where the file ends before ``position``."""
        self._file.seek(position)
        self.start = position
        self.data = self._file.read(_BUFFER)
        if not self.data:
            raise Corrupt(f"the file ends at byte {position}")


class Window:
    """The bytes ``position`` to ``end`` of a file, read from front to back."""

    __slots__ = ("_buffer", "end", "position")

    def __init__(self, buffer: _Buffer, position: int, end: int) -> None:
        self._buffer = buffer
        self.position = position
        self.end = end

    @property
    def left(self) -> int:
        return self.end - self.position

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes. Raises Corrupt."""
        self._require(count)
        pieces = []
        while count:
            offset = self._here()
            piece = self._buffer.data[offset : offset + count]
            pieces.append(piece)
            self.position += len(piece)
            count -= len(piece)
        return b"".join(pieces)

    def varint(self) -> int:
        """A number in seven bits a byte, of at most ten bytes. Raises Corrupt."""
        result = shift = 0
        while shift < 70:  # noqa: PLR2004 - ten bytes of seven bits
            if self.position >= self.end:
                raise Corrupt(f"a number ends at byte {self.position}, before it is complete")
            offset = self._here()
            byte = self._buffer.data[offset]
            self.position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the top bit says that more follows
                return result
            shift += 7
        raise Corrupt(f"an endless number at byte {self.position}")

    def skip(self, count: int) -> None:
        """Pass over bytes without reading them. Raises Corrupt."""
        self._require(count)
        self.position += count

    def unpack(self, form: str) -> tuple[int, ...]:
        """Numbers in the manner of ``struct``. Raises Corrupt."""
        return struct.unpack(form, self.read(struct.calcsize(form)))

    def text(self, count: int) -> str:
        """``count`` bytes as text; what is no UTF-8 is replaced. Raises Corrupt."""
        if count > LONGEST_TEXT:
            raise Corrupt(f"a text of {count} bytes at byte {self.position}")
        return self.read(count).decode("utf-8", "replace")

    def inner(self, count: int) -> Window:
        """The next ``count`` bytes as a window of their own, passed over here. Raises Corrupt."""
        start = self.position
        self.skip(count)
        return Window(self._buffer, start, self.position)

    def _here(self) -> int:
        """Where in the buffer this window is; it is filled if that is nowhere."""
        buffer = self._buffer
        offset = self.position - buffer.start
        if 0 <= offset < len(buffer.data):
            return offset
        buffer.fill(self.position)
        return 0

    def _require(self, count: int) -> None:
        if not 0 <= count <= self.left:
            raise Corrupt(
                f"{count} bytes are announced at byte {self.position}, {self.left} are left"
            )


def window(file: BinaryIO, size: int) -> Window:
    """A whole file of ``size`` bytes."""
    return Window(_Buffer(file), 0, size)
