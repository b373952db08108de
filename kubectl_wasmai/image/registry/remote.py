"""A repository as a place that images are copied to, or fetched from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import InputError, RegistryError
from kubectl_wasmai.image.content import digest_content
from kubectl_wasmai.image.copying import DEEPEST_INDEX, title
from kubectl_wasmai.image.oci import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    Index,
    descriptors,
    digest_of,
    parse_document,
)
from kubectl_wasmai.image.registry.download import download
from kubectl_wasmai.image.registry.upload import upload

if TYPE_CHECKING:
    from kubectl_wasmai.image.content import Advance, Content
    from kubectl_wasmai.image.progress import Start
    from kubectl_wasmai.image.reference import Reference
    from kubectl_wasmai.image.registry.journal import Journal
    from kubectl_wasmai.image.registry.repository import Repository
    from kubectl_wasmai.image.store import Store


@dataclass(frozen=True)
class RemoteSource:
    """Reads an image's documents where they lie."""

    repository: Repository

    def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, index or config. Raises RegistryError, InputError."""
        if descriptor.media_type not in (*INDEX_TYPES, *MANIFEST_TYPES):
            return self.repository.small_blob(descriptor.digest)
        found = self.repository.manifest(descriptor.digest)
        if found is None:
            raise RegistryError(f"{self.repository} has lost {descriptor.digest}")
        return found[1]


class RemoteSink:
    """Takes an image into a repository; ``outcomes`` says what became of each blob."""

    def __init__(self, repository: Repository, journal: Journal) -> None:
        self._repository = repository
        self._journal = journal
        self._documents: dict[str, tuple[bytes, str]] = {}
        self.outcomes: dict[str, str] = {}

    def add(self, content: Content, advance: Advance | None = None, digest: str = "") -> str:
        """Bring a blob there unless it is there. Raises RegistryError."""
        digest = digest or digest_content(content)
        if digest not in self.outcomes:
            descriptor = Descriptor("", digest, content.size)
            self.outcomes[digest] = upload(
                self._repository, descriptor, content, advance, self._journal
            )
        return digest

    def add_document(self, data: bytes, media_type: str) -> None:
        """Bring a manifest or an index there."""
        digest = digest_of(data)
        self._documents[digest] = (data, media_type)
        self._repository.put_manifest(digest, data, media_type)

    def tag(self, reference: Reference, descriptor: Descriptor) -> None:
        """Give it its tag; without one it is known by its digest."""
        if reference.tag:
            data, media_type = self._documents[descriptor.digest]
            self._repository.put_manifest(reference.tag, data, media_type)


def resolve(repository: Repository, reference: Reference) -> tuple[Descriptor, bytes]:
    """What a name means in its registry. Raises RegistryError where it means nothing."""
    found = repository.manifest(reference.version)
    if found is None:
        raise RegistryError(
            f"{reference.registry} has no image {reference}",
            "check the name and the tag; some registries say so, too, when you are not logged in",
        )
    return found


def pull(repository: Repository, reference: Reference, store: Store, start: Start) -> Descriptor:
    """Bring an image with all its platforms into the store. Raises RegistryError, InputError."""
    root, data = resolve(repository, reference)
    with store.adding():
        _pull(repository, root, data, store, start, 0)
        store.tag(replace(reference, digest="") if reference.tag else reference, root)
    return root


def _pull(
    repository: Repository, root: Descriptor, data: bytes, store: Store, start: Start, depth: int
) -> None:
    if depth > DEEPEST_INDEX:
        raise InputError(f"{root.digest} is an index in an index in an index, without an end")
    document = parse_document(data, root.digest)
    for one in descriptors(document):
        if isinstance(document, Index) and one.media_type in (*INDEX_TYPES, *MANIFEST_TYPES):
            part = RemoteSource(repository).document(one)
            _pull(repository, one, part, store, start, depth + 1)
        elif not store.has(one):
            download(repository, one, store, start(title(one), one.size))
    store.add_document(data, root.media_type)
