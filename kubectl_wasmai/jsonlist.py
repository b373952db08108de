"""Lists of Kubernetes as JSON: cut into items while the text still arrives, and decoded.

A piece of text between two places that look like the border of two items is decoded as an array.
If that succeeds it holds whole items and nothing else, however the places were found: no JSON
value begins with another whole one. If it does not, the place was inside an item, and an earlier
one is tried. What is left when the answer ends is decoded together with the List's head, so an
answer that broke off, or is no List, is never taken for one.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import msgspec

from kubectl_wasmai import lenient

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

BATCH = 1 << 15
"""Bytes of text that are decoded together. Blocks of 128 KiB and more come from the operating
system and go back to it each time, which takes longer than decoding them."""

_OPENING = re.compile(rb'"items"\s*:\s*\[')
_FIRST_KEY = re.compile(rb'\s*(\{\s*"[^"\\]*"\s*:)')
_TRIES = 4


class ListMeta(msgspec.Struct, rename="camel"):
    """``metav1.ListMeta``, as far as it is read."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: ListMeta
    items: msgspec.Raw = msgspec.Raw(b"null")


_lists = msgspec.json.Decoder(_List)


class ItemReader:
    """``take`` is given texts of JSON arrays of whole items, in order. It may raise
    msgspec.DecodeError; of a text that is no array it must."""

    def __init__(self, take: Callable[[bytes], None], batch: int = BATCH) -> None:
        self._take = take
        self._batch = self._enough = batch
        self._text = bytearray()
        self._head = b""
        self._border = b""

    @property
    def began(self) -> bool:
        """Whether the text begins as a JSON object does."""
        return (self._head or bytes(self._text[:64])).lstrip().startswith(b"{")

    def feed(self, piece: bytes) -> None:
        """The next piece of the text, cut anywhere."""
        self._text += piece
        if len(self._text) >= self._enough:
            if (self._head or self._find_head()) and self._cut():
                self._enough = self._batch
            else:
                self._enough = 2 * len(self._text)

    def close(self) -> ListMeta:
        """The end of the text. Raises msgspec.DecodeError where the whole was no whole List."""
        found = _lists.decode(self._head + self._text)
        items = bytes(found.items)
        if items != b"null":
            self._take(items)
        return found.metadata

    def _find_head(self) -> bool:
        """All up to the bracket of the items, and with what words an item begins."""
        text = bytes(self._text)  # a match would not let go of a bytearray
        for opening in _OPENING.finditer(text):
            head = text[: opening.end()]
            first = _FIRST_KEY.match(text, opening.end())
            if first is not None and _opens_items(head):
                self._head, self._border = head, b"}," + first[1]
                del self._text[: opening.end()]
                return True
        return False

    def _cut(self) -> bool:
        """Give whole items away; False where no border was found."""
        border = len(self._text)
        for _ in range(_TRIES):
            border = self._text.rfind(self._border, 0, border)
            if border < 0:
                return False
            try:
                self._take(b"[" + self._text[: border + 1] + b"]")
            except msgspec.DecodeError:
                continue
            del self._text[: border + 2]
            return True
        return False


def _opens_items(head: bytes) -> bool:
    """Whether the bracket at the end is that of the List's own items."""
    try:
        return msgspec.json.decode(head + b"]}", type=_Items).items == []
    except msgspec.DecodeError:
        return False


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


@runtime_checkable
class ItemDecoder(Protocol[T]):
    """Makes objects of the JSON text of items. Raises msgspec.DecodeError, UnicodeDecodeError."""

    @property
    def type(self) -> Any:
        """What an item must fit."""

    def many(self, array: bytes) -> list[T]: ...

    def one(self, item: msgspec.Raw) -> T: ...


class Text(NamedTuple):
    """The JSON of some items in a row: an array, compressed by zlib; ``items`` of them
    were decoded."""

    items: int
    packed: bytes

    @classmethod
    def of(cls, array: bytes, items: int) -> Text:
        return cls(items, zlib.compress(array, 1))

    @property
    def array(self) -> bytes:
        return zlib.decompress(self.packed)


class _Name(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Named(msgspec.Struct):
    metadata: _Name


_names = msgspec.json.Decoder(_Named)
_arrays = msgspec.json.Decoder(list[msgspec.Raw])


class Typed(Generic[T]):
    """Decodes into a type that msgspec knows."""

    def __init__(self, type_: type[T]) -> None:
        self.type = type_
        self._many = msgspec.json.Decoder(list[type_])  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(type_)

    def many(self, array: bytes | msgspec.Raw) -> list[T]:
        items: list[T] = self._many.decode(array)
        return items

    def one(self, item: msgspec.Raw) -> T:
        return self._one.decode(item)


def decode_items(decoder: ItemDecoder[T], array: bytes) -> tuple[list[T], list[tuple[str, str]]]:
    """The objects of a JSON array, and name and reason of those that do not fit their type, or
    fit it only without some of their fields.

    Raises msgspec.DecodeError where it is no array.
    """
    try:
        return decoder.many(array), []
    except (msgspec.ValidationError, UnicodeDecodeError):
        found, odd = [], []
        for raw in _arrays.decode(array):
            try:
                found.append(decoder.one(raw))
            except msgspec.ValidationError:
                fitting, reasons = lenient.read(msgspec.json.decode(raw), decoder.type)
                if fitting is not None:
                    found.append(decoder.one(msgspec.Raw(msgspec.json.encode(fitting))))
                odd += [(_name(raw), reason) for reason in reasons]
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                odd.append((_name(raw), str(error)))
        return found, odd


def _name(raw: msgspec.Raw) -> str:
    try:
        metadata = _names.decode(raw).metadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "(no name)"
    return f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
