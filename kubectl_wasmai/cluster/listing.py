"""Lists: all of it or none, and one object of an odd shape does not spoil the others."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from kubectl_wasmai.errors import ClusterUnreachable, Gone, Interrupted
from kubectl_wasmai.jsonlist import ItemReader, Text, decode_items

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.transport import Transport
    from kubectl_wasmai.jsonlist import ItemDecoder, ListMeta

T = TypeVar("T")

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.2
_TEXT = 1 << 17  # bytes of text that are kept together


@dataclass(frozen=True)
class ListResult(Generic[T]):
    """A whole list. ``undecodable`` holds (name, reason) of objects that did not fit ``T``, or
    fit it only without some of their fields; ``texts`` what was read, where it was to be kept."""

    items: tuple[T, ...]
    resource_version: str = ""
    undecodable: tuple[tuple[str, str], ...] = ()
    texts: tuple[Text, ...] = ()


def read_list(
    transport: Transport,
    path: str,
    decoder: ItemDecoder[T],
    query: list[tuple[str, str]],
    limit: int,
    *,
    keep_texts: bool = False,
) -> ListResult[T]:
    """Follow ``continue`` to the end; ``limit`` objects a page, 0 for one page of all.

    A token that expired on the way (410) starts again without pages, once; an answer that broke
    off is asked for again, from the start. Raises ClusterUnreachable and ApiErrors; never returns
    a part of the list.
    """
    left = _ATTEMPTS
    while True:
        left -= 1
        reading = _Reading(decoder, keep_texts=keep_texts)
        try:
            return reading.all_pages(transport, path, query, limit)
        except Gone:
            if not limit:
                raise
            limit = 0
        except Interrupted:
            if not left:
                raise
            time.sleep(_PAUSE_SECONDS * (_ATTEMPTS - left))


class _Reading(Generic[T]):
    """One attempt at a list. Thrown away as a whole when it fails."""

    def __init__(self, decoder: ItemDecoder[T], *, keep_texts: bool) -> None:
        self._decoder = decoder
        self._keep_texts = keep_texts
        self._items: list[T] = []
        self._odd: list[tuple[str, str]] = []
        self._texts = _Texts()

    def all_pages(
        self, transport: Transport, path: str, query: list[tuple[str, str]], limit: int
    ) -> ListResult[T]:
        token = ""
        while True:
            asked = [*query, ("limit", str(limit) if limit else ""), ("continue", token)]
            metadata = self._page(transport, path, asked)
            token = metadata.continue_
            if not token:
                return ListResult(
                    tuple(self._items),
                    metadata.resource_version,
                    tuple(self._odd),
                    self._texts.all() if self._keep_texts else (),
                )

    def _page(self, transport: Transport, path: str, query: list[tuple[str, str]]) -> ListMeta:
        reader = ItemReader(self._take)
        for piece in transport.stream(path, query=query):
            reader.feed(piece)
        try:
            return reader.close()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(transport, error, began=reader.began) from error

    def _take(self, array: bytes) -> None:
        found, odd = decode_items(self._decoder, array)
        self._items += found
        self._odd += odd
        if self._keep_texts:
            self._texts.add(array, len(found))


class _Texts:
    """Keeps arrays of items, several in one text: alone they would not compress well."""

    def __init__(self) -> None:
        self._texts: list[Text] = []
        self._waiting: list[bytes] = []
        self._items = self._size = 0

    def add(self, array: bytes, items: int) -> None:
        body = array.strip()[1:-1].strip()
        if body:
            self._waiting.append(body)
        self._items += items
        self._size += len(array)
        if self._size >= _TEXT:
            self._pack()

    def all(self) -> tuple[Text, ...]:
        self._pack()
        return tuple(self._texts)

    def _pack(self) -> None:
        if self._waiting:
            self._texts.append(Text.of(b"[%b]" % b",".join(self._waiting), self._items))
        self._waiting.clear()
        self._items = self._size = 0


def _damaged(transport: Transport, error: Exception, *, began: bool) -> ClusterUnreachable:
    """What began like JSON and is none was cut or garbled on the way: worth another try."""
    place = transport.target.place
    if began and not isinstance(error, msgspec.ValidationError):
        return Interrupted(
            f"{place} sent a list that is damaged or not whole: {error}",
            "Try again; if it stays, look at the API server and at proxies before it.",
        )
    return ClusterUnreachable(
        f"{place} answered with something that is no list: {error}",
        "Is this a Kubernetes API server, and no proxy or login page before one?",
    )
