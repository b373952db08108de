"""Fetching a blob into the local store: on from where an earlier attempt broke off, and checked."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from urllib3 import exceptions

from kubectl_wasmai.errors import InputError, RegistryError
from kubectl_wasmai.image.content import PIECE, Advance
from kubectl_wasmai.image.locks import locked
from kubectl_wasmai.image.registry.backoff import Backoff
from kubectl_wasmai.image.registry.client import Interrupted
from kubectl_wasmai.image.registry.refusal import read_answer, refusal
from kubectl_wasmai.image.registry.repository import OK
from kubectl_wasmai.image.store import require_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3

    from kubectl_wasmai.image.oci import Descriptor
    from kubectl_wasmai.image.registry.repository import Repository
    from kubectl_wasmai.image.store import Store

PARTIAL_CONTENT = 206


def download(
    repository: Repository, descriptor: Descriptor, store: Store, advance: Advance
) -> None:
    """Make sure that the store has a blob. Raises RegistryError, InputError."""
    partial = store.partial_file(descriptor.digest)
    try:
        # Two processes that fetch the same blob must not write to one file.
        with locked(partial, exclusive=True):
            if store.has(descriptor):
                advance(descriptor.size)
                return
            with partial.open("r+b") as file:
                found = _Download(repository, descriptor, advance).into(file)
            try:
                require_digest(descriptor.digest, found)
            except InputError:
                partial.unlink()
                raise
            store.adopt(partial, descriptor.digest)
    except OSError as error:
        raise InputError(
            f"cannot write {partial}: {error.strerror}",
            "free some space and run the same command again; it goes on from here",
        ) from error


class _Download:
    def __init__(self, repository: Repository, descriptor: Descriptor, advance: Advance) -> None:
        self.repository = repository
        self.descriptor = descriptor
        self.advance = advance
        self.done = 0
        self.hasher = hashlib.sha256()

    def into(self, file: BinaryIO) -> str:
        """Fetch what is missing; returns the digest of all that is there then."""
        while piece := file.read(PIECE):
            self._has(piece)
        backoff = Backoff(self.repository.registry.sleep)
        while self.done != self.descriptor.size:
            before = self.done
            try:
                self._fetch(file)
            except Interrupted as error:
                if self.done > before:
                    backoff.succeeded()
                if not backoff.wait(error.retry_after):
                    raise RegistryError(
                        f"the download from {self.repository} broke off again and again: {error}",
                        "run the same command again: it goes on from here",
                    ) from error
        return f"sha256:{self.hasher.hexdigest()}"

    def _fetch(self, file: BinaryIO) -> None:
        if self.done > self.descriptor.size:
            self._restart(file)
        answer = self.repository.blob(self.descriptor.digest, self.done)
        if answer.status not in (OK, PARTIAL_CONTENT):
            registry = self.repository.registry.name
            raise refusal(registry, self.repository.name, read_answer(registry, answer))
        if answer.status == OK and self.done:
            # The registry sends no parts: all from the beginning.
            self._restart(file)
        for piece in _pieces(answer):
            file.write(piece)
            self._has(piece)
            if self.done > self.descriptor.size:
                answer.close()
                raise RegistryError(
                    f"{self.repository} sends more than {self.descriptor.size} bytes for "
                    f"{self.descriptor.digest}"
                )
        if self.done < self.descriptor.size:
            raise Interrupted(f"it ended after {self.done} bytes")

    def _restart(self, file: BinaryIO) -> None:
        file.seek(0)
        file.truncate()
        self.advance(-self.done)
        self.done = 0
        self.hasher = hashlib.sha256()

    def _has(self, piece: bytes) -> None:
        self.hasher.update(piece)
        self.done += len(piece)
        self.advance(len(piece))


def _pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The answer as it comes. Raises Interrupted when the connection breaks."""
    try:
        yield from answer.stream(PIECE, decode_content=False)
    except (exceptions.HTTPError, OSError) as error:
        answer.close()
        raise Interrupted(str(error)) from error
