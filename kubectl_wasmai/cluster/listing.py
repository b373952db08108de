"""Lists: all pages or none, and one object of an odd shape does not spoil the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from kubectl_wasmai import lenient
from kubectl_wasmai.errors import ClusterUnreachable, Gone

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.transport import Transport

T = TypeVar("T")


@dataclass(frozen=True)
class ListResult(Generic[T]):
    """A whole list. ``undecodable`` holds (name, reason) of objects that did not fit ``T``, or
    fit it only without some of their fields."""

    items: tuple[T, ...]
    resource_version: str = ""
    undecodable: tuple[tuple[str, str], ...] = ()


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _Name(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Named(msgspec.Struct):
    metadata: _Name


_pages = msgspec.json.Decoder(_Page)
_names = msgspec.json.Decoder(_Named)


def read_list(
    transport: Transport, path: str, type_: type[T], query: list[tuple[str, str]], limit: int
) -> ListResult[T]:
    """Follow ``continue`` to the end; ``limit`` objects a page, 0 for one page of all.

    A token that expired on the way (410) starts again without pages, once.
    Raises ClusterUnreachable and ApiErrors; never returns a part of the list.
    """
    try:
        return _all_pages(transport, path, type_, query, limit)
    except Gone:
        if not limit:
            raise
        return _all_pages(transport, path, type_, query, 0)


def _all_pages(
    transport: Transport, path: str, type_: type[T], query: list[tuple[str, str]], limit: int
) -> ListResult[T]:
    decoder = msgspec.json.Decoder(type_)
    items: list[T] = []
    odd: list[tuple[str, str]] = []
    token = ""
    while True:
        asked = [*query, ("limit", str(limit) if limit else ""), ("continue", token)]
        page = _decode_page(transport.request("GET", path, query=asked).body, transport)
        for raw in page.items or ():
            try:
                items.append(decoder.decode(raw))
            except msgspec.DecodeError:
                item, reasons = lenient.read(msgspec.json.decode(raw), type_)
                items += [] if item is None else [item]
                odd += [(_name(raw), reason) for reason in reasons]
        token = page.metadata.continue_
        if not token:
            return ListResult(tuple(items), page.metadata.resource_version, tuple(odd))


def _decode_page(body: bytes, transport: Transport) -> _Page:
    try:
        return _pages.decode(body)
    except msgspec.DecodeError as error:
        raise ClusterUnreachable(
            f"{transport.target.place} answered with something that is no list: {error}",
            "Is this a Kubernetes API server, and no proxy or login page before one?",
        ) from error


def _name(raw: msgspec.Raw) -> str:
    try:
        metadata = _names.decode(raw).metadata
    except msgspec.DecodeError:
        return "(no name)"
    return f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
