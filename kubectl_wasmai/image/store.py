"""Where images live on this machine: one OCI image layout, its blobs shared by all images.

Source: ``image-layout.md`` of the OCI image specification. Any tool that reads a layout reads
this one. Blobs appear under their digest only when they are whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.content import PIECE, Advance, Bytes, Content, FilePart, read_all
from kubectl_wasmai.image.locks import Busy, locked
from kubectl_wasmai.image.oci import (
    CONTAINERD_NAME,
    INDEX,
    INDEX_TYPES,
    LARGEST_DOCUMENT,
    MANIFEST_TYPES,
    REF_NAME,
    Descriptor,
    Index,
    canonical,
    describe,
    descriptors,
    parse_document,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_wasmai.image.reference import Reference

PLACE = "WASMAI_IMAGES"
"""Environment variable that names another folder."""
LAYOUT = canonical({"imageLayoutVersion": "1.0.0"})
_HOLE = bytes(PIECE)
_FORGOTTEN = 7 * 24 * 3600.0
"""Seconds after which the beginnings of interrupted downloads are thrown away."""


def store_folder() -> Path:
    """The folder of the local store: ``$WASMAI_IMAGES``, else in the user's data folder (XDG)."""
    if explicit := os.environ.get(PLACE):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base).absolute() / "kubectl-wasmai" / "images"


class Store:
    """Images by name, in a folder that is made when something is first stored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._partial = folder / "partial"

    def names(self) -> dict[str, Descriptor]:
        """Every image by its full name, sorted. Raises InputError when the store is broken."""
        try:
            index = parse_document((self.folder / "index.json").read_bytes(), str(self.folder))
        except FileNotFoundError:
            return {}
        entries = index.manifests if isinstance(index, Index) else []
        named = {(one.annotations or {}).get(REF_NAME, ""): one for one in entries}
        return {name: named[name] for name in sorted(named) if name}

    def find(self, reference: Reference) -> Descriptor | None:
        """The index or manifest that a name means, if it is here."""
        names = self.names()
        if not reference.digest:
            return names.get(str(reference))
        same = (one for name, one in names.items() if name.startswith(reference.name))
        return next((one for one in same if one.digest == reference.digest), None)

    def add(self, content: Content, advance: Advance | None = None, digest: str = "") -> str:
        """Store content; returns its digest, which must be ``digest`` if one is given.

        Raises InputError.
        """
        self._prepare()
        hasher = hashlib.sha256()
        number, name = tempfile.mkstemp(prefix="add-", dir=self._partial)
        try:
            with os.fdopen(number, "wb") as file:
                for piece in content.pieces():
                    hasher.update(piece)
                    # Holes stay holes: a sparse file costs no disk here either.
                    if piece == _HOLE:
                        file.seek(len(piece), os.SEEK_CUR)
                    else:
                        file.write(piece)
                    if advance:
                        advance(len(piece))
                file.truncate()
            found = f"sha256:{hasher.hexdigest()}"
            require_digest(digest or found, found)
            self.adopt(Path(name), found)
        except BaseException as error:
            Path(name).unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _cannot_write(self.folder, error) from error
            raise
        return found

    def add_document(self, data: bytes, media_type: str) -> None:
        """Store a manifest or an index."""
        self.add(Bytes(data), None, describe(media_type, data).digest)

    def adopt(self, path: Path, digest: str) -> None:
        """Take over a file of this store's ``partial_file`` that is whole and has that digest."""
        path.replace(self._path(digest))

    def partial_file(self, digest: str) -> Path:
        """Where an interrupted download of that blob goes on."""
        self._prepare()
        return self._partial / digest.partition(":")[2]

    def has(self, descriptor: Descriptor) -> bool:
        """Whether a blob is here."""
        try:
            return self._path(descriptor.digest).stat().st_size == descriptor.size
        except OSError:
            return False

    def content(self, descriptor: Descriptor) -> Content:
        """A blob. Raises InputError when it is not here."""
        if not self.has(descriptor):
            raise InputError(
                f"the local store lacks {descriptor.digest}", "pull or build the image again"
            )
        return FilePart(self._path(descriptor.digest), descriptor.size)

    def document(self, descriptor: Descriptor) -> bytes:
        """A manifest, index or config. Raises InputError."""
        return read_all(self.content(descriptor), LARGEST_DOCUMENT)

    def tag(self, reference: Reference, descriptor: Descriptor) -> None:
        """Give an image a name; another image of that name loses it."""
        name = str(reference)
        annotations = {REF_NAME: name, CONTAINERD_NAME: name}
        named = msgspec.structs.replace(descriptor, annotations=annotations)
        with self._changing():
            others = [one for key, one in self.names().items() if key != name]
            self._write([*others, named])

    def untag(self, reference: Reference) -> bool:
        """Take a name away; False when there is none."""
        name = str(reference)
        with self._changing():
            names = self.names()
            if name in names:
                self._write([one for key, one in names.items() if key != name])
            return name in names

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """While blobs are added that no name holds yet: nobody throws them away."""
        self._prepare()
        with locked(self.folder / ".adding", exclusive=False):
            yield

    def collect_garbage(self) -> int | None:
        """Delete what no image needs; returns the bytes it took, None while images are added."""
        self._prepare()
        try:
            with locked(self.folder / ".adding", exclusive=True, wait=False), self._changing():
                needed: set[str] = set()
                for root in self.names().values():
                    self._mark(root, needed)
                unused = [p for p in self._blobs.iterdir() if f"sha256:{p.name}" not in needed]
                old = time.time() - _FORGOTTEN
                unused += [p for p in self._partial.iterdir() if p.stat().st_mtime < old]
                return sum(_delete(path) for path in unused)
        except Busy:
            return None

    def _mark(self, descriptor: Descriptor, needed: set[str]) -> None:
        """Add what an image consists of; what is not here needs nothing."""
        if descriptor.digest in needed or not self.has(descriptor):
            return
        needed.add(descriptor.digest)
        if descriptor.media_type in (*INDEX_TYPES, *MANIFEST_TYPES):
            for one in descriptors(parse_document(self.document(descriptor), descriptor.digest)):
                self._mark(one, needed)

    def _path(self, digest: str) -> Path:
        return self._blobs / digest.partition(":")[2]

    def _prepare(self) -> None:
        try:
            for folder in (self._blobs, self._partial):
                # Models may be private.
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.folder / "oci-layout").exists():
                (self.folder / "oci-layout").write_bytes(LAYOUT)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        self._prepare()
        with locked(self.folder / ".names", exclusive=True):
            yield

    def _write(self, entries: Sequence[Descriptor]) -> None:
        """The list of names, all at once or not at all."""
        document = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [one.document() for one in entries],
        }
        new = self.folder / "index.json.new"
        new.write_bytes(canonical(document))
        new.replace(self.folder / "index.json")


def require_digest(expected: str, found: str) -> None:
    """Raises InputError where content is not what it was announced as."""
    if found != expected:
        raise InputError(
            f"{expected} has other content than its digest says ({found})",
            "it was damaged on its way, or changed: get it again from its source",
        )


def _delete(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size


def _cannot_write(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot store images in {folder}: {error.strerror}",
        f"free some space (kubectl wasmai image rm NAME), or set {PLACE} to another folder",
    )
