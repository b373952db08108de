"""The wire format of Protocol Buffers, read field by field from a file.

Source: the encoding page of the Protocol Buffers documentation. Only what ONNX uses: groups
are refused, lengths are windows into the file that nobody has to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.image.binary import Corrupt, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MASK64 = (1 << 64) - 1
_SIGN64 = 1 << 63


_COST_OF_A_TEXT = 80
"""Bytes that Python needs for one beyond its letters, in a set."""


class Budget:
    """What may still be read and kept: many tiny parts must not take for ever, or all memory."""

    __slots__ = ("_fields", "_kept")

    def __init__(self, fields: int, kept: int) -> None:
        self._fields = fields
        self._kept = kept

    def spend(self) -> None:
        """For one field. Raises Corrupt when nothing is left."""
        self._fields -= 1
        if self._fields < 0:
            raise Corrupt("it has too many parts to be a model")

    def keep(self, text: str) -> str:
        """For a text that stays in memory. Raises Corrupt when nothing is left."""
        self._kept -= len(text) + _COST_OF_A_TEXT
        if self._kept < 0:
            raise Corrupt("it has too many names to be a model")
        return text


def fields(message: Window, budget: Budget) -> Iterator[tuple[int, int | Window]]:
    """Number and value of each field: a number as it is, everything else as a window.

    Raises Corrupt.
    """
    while message.left:
        budget.spend()
        key = message.varint()
        number, kind = key >> 3, key & 7
        if number == 0:
            raise Corrupt(f"field 0 at byte {message.position}")
        if kind == VARINT:
            yield number, message.varint() & _MASK64
        elif kind == BYTES:
            yield number, message.inner(message.varint())
        elif kind == FIXED64:
            yield number, message.inner(8)
        elif kind == FIXED32:
            yield number, message.inner(4)
        else:
            raise Corrupt(f"wire type {kind} at byte {message.position}")


def signed(number: int) -> int:
    """int64 travels as its two's complement."""
    return number - (1 << 64) if number & _SIGN64 else number
