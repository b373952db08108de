"""Images in one file: an OCI image layout in a tar, with what ``docker load`` wants besides.

Sources: ``image-layout.md`` of the OCI image specification; ``manifest.json`` as ``docker save``
writes it. ``ctr images import`` and ``docker load`` both accept the result.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.content import (
    END_OF_TAR,
    Advance,
    Bytes,
    Content,
    FilePart,
    Member,
    digest_content,
    entry,
    read_all,
)
from kubectl_wasmai.image.oci import (
    CONTAINERD_NAME,
    INDEX,
    LARGEST_DOCUMENT,
    REF_NAME,
    Descriptor,
    Index,
    canonical,
    describe,
    descriptors,
    digest_of,
    parse_document,
)
from kubectl_wasmai.image.reference import DIGEST, Reference, parse_reference
from kubectl_wasmai.image.store import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MOST_MEMBERS = 100_000
_BLOBS = "blobs/sha256/"
_MAGIC_START, _MAGIC_END = 257, 262


@contextlib.contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """A new tar at ``path``, which appears when all is written. Raises InputError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            writer = ArchiveWriter(file)
            yield writer
            writer.end()
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


class ArchiveWriter:
    """Writes images into a tar."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written: set[str] = set()
        self._documents: dict[str, bytes] = {}
        self._roots: list[Descriptor] = []

    def add(self, content: Content, advance: Advance | None = None, digest: str = "") -> str:
        """Write a blob; returns its digest.

        A tar wants the name before the content: where the digest is not known, content is read
        twice.
        """
        digest = digest or digest_content(content)
        if digest not in self._written:
            self._written.add(digest)
            self._member(_BLOBS + digest.partition(":")[2], content, advance)
        return digest

    def add_document(self, data: bytes, media_type: str) -> None:
        """Write a manifest or an index."""
        descriptor = describe(media_type, data)
        self._documents[descriptor.digest] = data
        self.add(Bytes(data), None, descriptor.digest)

    def tag(self, reference: Reference, descriptor: Descriptor) -> None:
        """Name an image whose parts have been added."""
        name = str(reference)
        # containerd reads the first; docker and skopeo take the tag from the second.
        annotations = {CONTAINERD_NAME: name, REF_NAME: reference.tag or name}
        self._roots.append(msgspec.structs.replace(descriptor, annotations=annotations))

    def end(self) -> None:
        """Write the lists of what is in it."""
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [one.document() for one in self._roots],
        }
        docker = [self._docker_image(one) for one in self._roots]
        self._member("manifest.json", Bytes(canonical(docker)))
        self._member("index.json", Bytes(canonical(index)))
        self._member("oci-layout", Bytes(LAYOUT))
        self._file.writelines(END_OF_TAR.pieces())

    def _docker_image(self, root: Descriptor) -> dict[str, object]:
        """For older Dockers, which know one platform: the first of the image."""
        document = parse_document(self._documents[root.digest], root.digest)
        if isinstance(document, Index):
            first = document.manifests[0].digest
            document = parse_document(self._documents[first], first)
        config, *layers = [_BLOBS + one.digest.partition(":")[2] for one in descriptors(document)]
        names = [(root.annotations or {})[CONTAINERD_NAME]]
        return {"Config": config, "RepoTags": names, "Layers": layers}

    def _member(self, name: str, content: Content, advance: Advance | None = None) -> None:
        for piece in entry(Member(name, content)).pieces():
            self._file.write(piece)
            if advance:
                advance(len(piece))


class Archive:
    """Reads the images of a tar in place."""

    def __init__(self, path: Path) -> None:
        """Raises InputError where the file is no tar of images."""
        self.path = path
        self._parts: dict[str, FilePart] = {}
        try:
            with tarfile.open(path, "r:") as archive:
                self._scan(archive)
        except (OSError, tarfile.TarError) as error:
            raise self._unreadable(str(error)) from error
        if "index.json" not in self._parts:
            raise self._unreadable("it holds no index.json")

    def names(self) -> dict[str, Descriptor]:
        """Every image by its full name. Raises InputError."""
        data = read_all(self._parts["index.json"], LARGEST_DOCUMENT)
        index = parse_document(data, f"index.json in {self.path}")
        found: dict[str, Descriptor] = {}
        for one in index.manifests if isinstance(index, Index) else []:
            annotations = one.annotations or {}
            name = annotations.get(CONTAINERD_NAME) or annotations.get(REF_NAME, "")
            found[str(parse_reference(name)) if name else one.digest] = one
        return found

    def content(self, descriptor: Descriptor) -> Content:
        """A blob. Raises InputError when it is not there, or has another size."""
        part = self._parts.get(_BLOBS + descriptor.digest.partition(":")[2])
        if part is None or part.size != descriptor.size:
            raise self._unreadable(f"it lacks {descriptor.digest}")
        return part

    def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, index or config, compared with its digest. Raises InputError."""
        data = read_all(self.content(descriptor), LARGEST_DOCUMENT)
        if digest_of(data) != descriptor.digest:
            raise self._unreadable(f"{descriptor.digest} has other content than that")
        return data

    def _scan(self, archive: tarfile.TarFile) -> None:
        for count, member in enumerate(archive):
            if count > MOST_MEMBERS:
                raise self._unreadable("it holds too many files")
            name = member.name.removeprefix("./")
            blob = DIGEST.fullmatch(name.replace(_BLOBS, "sha256:", 1))
            # Anything else, links above all, is nothing an image needs.
            if member.isreg() and not member.issparse() and (blob or name == "index.json"):
                self._parts[name] = FilePart(self.path, member.size, member.offset_data)

    def _unreadable(self, what: str) -> InputError:
        return InputError(
            f"{self.path} is no usable archive of images: {what}",
            "it must be an uncompressed OCI image layout, as `kubectl wasmai image save`, "
            "`docker save` (25 or newer) and `skopeo copy … oci-archive:` write it",
        )


def is_tar(path: Path) -> bool:
    """Whether a file is a tar at all."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_END)[_MAGIC_START:] == b"ustar"
    except OSError:
        return False
