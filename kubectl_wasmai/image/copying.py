"""Bringing a whole image from one place to another, blob by blob."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.oci import (
    Descriptor,
    Index,
    Manifest,
    parse_document,
)
from kubectl_wasmai.image.progress import Start, silent

if TYPE_CHECKING:
    from kubectl_wasmai.image.content import Advance, Content
    from kubectl_wasmai.image.reference import Reference

DEEPEST_INDEX = 4


class Documents(Protocol):
    """Where an image's documents are read from."""

    def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, index or config. Raises InputError when it is not there."""


class Source(Documents, Protocol):
    """Where images are read from."""

    def content(self, descriptor: Descriptor) -> Content:
        """A blob. Raises InputError when it is not there."""


class Sink(Protocol):
    """Where an image is written to."""

    def add(self, content: Content, advance: Advance | None = None, digest: str = "") -> str:
        """Take a blob; returns its digest, which is ``digest`` where that is known already."""

    def add_document(self, data: bytes, media_type: str) -> None:
        """Take a manifest or an index, after everything it refers to."""

    def tag(self, reference: Reference, descriptor: Descriptor) -> None:
        """The image is whole, and has this name."""


def copy(source: Source, root: Descriptor, sink: Sink, start: Start = silent) -> None:
    """Bring everything under ``root`` to ``sink``, parts before what refers to them."""
    _copy(source, root, sink, start, set(), 0)


def _copy(
    source: Source, one: Descriptor, sink: Sink, start: Start, done: set[str], depth: int
) -> None:
    if depth > DEEPEST_INDEX:
        raise InputError(f"{one.digest} is an index in an index in an index, without an end")
    data = source.document(one)
    document = parse_document(data, one.digest)
    if isinstance(document, Index):
        for each in document.manifests:
            _copy(source, each, sink, start, done, depth + 1)
    else:
        for each in parts(document):
            if each.digest not in done:
                done.add(each.digest)
                content = source.content(each)
                sink.add(content, start(title(each), content.size), each.digest)
    sink.add_document(data, one.media_type)


def parts(manifest: Manifest) -> list[Descriptor]:
    """The blobs of an image."""
    return [manifest.config, *manifest.layers]


def title(descriptor: Descriptor) -> str:
    """What people call a blob: the name in its annotations, else its digest in short."""
    named = (descriptor.annotations or {}).get("org.opencontainers.image.title", "")
    return "".join(filter(str.isprintable, named[:60])) or descriptor.digest[7:19]
