"""Bringing a blob to a registry: not at all if it is there, in pieces, and on from where it broke.

Small blobs go in one request. Large ones go in pieces of PIECE bytes, each acknowledged: after a
broken connection the registry is asked how far it came. Registries that answer so (the
distribution specification 1.1 wants it; distribution before 3.0 forgets an upload whose piece
broke) go on from there, others begin again; an upload survives the end of this process, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.content import Content, Slice
from kubectl_wasmai.image.registry.backoff import Backoff
from kubectl_wasmai.image.registry.client import Interrupted
from kubectl_wasmai.image.registry.journal import Journal
from kubectl_wasmai.image.registry.refusal import NOT_FOUND, Answer, read_answer, refusal
from kubectl_wasmai.image.registry.repository import ACCEPTED, CREATED, NO_CONTENT, OK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.image.content import Advance
    from kubectl_wasmai.image.oci import Descriptor
    from kubectl_wasmai.image.registry.repository import Repository

PIECE = 64 << 20
COMMIT_SECONDS = 900.0
"""How long a registry may take to check a large blob after the last byte."""
MOST_RESTARTS = 4
REFUSED_PIECE = (400, 404, 405, 411, 413, 415, 416, 501)
"""For a first piece they mean that the registry knows no pieces, later that it lost its place."""


class _Lost(Exception):
    """The registry does not know the upload any more: begin again."""


class _PiecesRefused(Exception):
    """The registry takes a blob only as a whole."""


def upload(
    repository: Repository,
    descriptor: Descriptor,
    content: Content,
    advance: Advance | None = None,
    journal: Journal | None = None,
) -> str:
    """Make sure that a blob is there; returns ``present``, ``mounted`` or ``uploaded``.

    ``journal`` knows other repositories with the same blob, and uploads that broke off.
    Raises RegistryError.
    """
    journal = journal or Journal(None)
    if repository.has_blob(descriptor.digest):
        outcome = "present"
    elif _is_mounted(repository, descriptor.digest, journal):
        outcome = "mounted"
    else:
        _Upload(repository, descriptor, content, advance or _nobody, journal).run()
        advance, outcome = None, "uploaded"
    if advance:
        advance(descriptor.size)
    journal.keep(repository.registry.name, repository.name, descriptor.digest)
    return outcome


def _is_mounted(repository: Repository, digest: str, journal: Journal) -> bool:
    """Whether the registry took the blob over from a repository where it is known to be."""
    for other in journal.repositories(repository.registry.name, digest):
        if other != repository.name:
            answer = repository.start_upload(digest, other)
            if answer.status == CREATED:
                return True
            # It began an upload instead, which nobody needs.
            repository.cancel_upload(answer.headers.get("Location", ""))
    return False


@dataclass
class _Upload:
    repository: Repository
    descriptor: Descriptor
    content: Content
    advance: Advance
    journal: Journal
    location: str = ""
    done: int = 0
    """Bytes that the registry has acknowledged."""
    whole: bool = False
    """Everything goes in one request."""

    def run(self) -> None:
        """Raises RegistryError."""
        self.whole = self.descriptor.size <= PIECE
        backoff = Backoff(self.repository.registry.sleep)
        self.location = self.journal.location(str(self.repository), self.descriptor.digest)
        restarts = 0
        while not (backoff.failures and self._arrived()):
            try:
                self._continue() if self.location else self._begin()
                self._send(backoff)
            except Interrupted as error:
                if not backoff.wait(error.retry_after):
                    raise self._gave_up(error) from error
                if self.whole:
                    self.location = ""
            except (_Lost, _PiecesRefused) as error:
                restarts += 1
                if restarts > MOST_RESTARTS:
                    raise self._gave_up(error) from error
                self.whole = self.whole or isinstance(error, _PiecesRefused)
                self.location = ""
            else:
                break
        self.journal.forget(str(self.repository), self.descriptor.digest)

    def _arrived(self) -> bool:
        """Whether only the answer to the last byte was lost."""
        arrived = self.repository.has_blob(self.descriptor.digest)
        if arrived:
            self._is_at(self.descriptor.size)
        return arrived

    def _begin(self) -> None:
        self._is_at(0)
        answer = self.repository.start_upload()
        self._took(answer)

    def _continue(self) -> None:
        """Ask how far an upload came. Raises _Lost."""
        if self.whole:
            raise _Lost
        answer = self.repository.upload_status(self.location)
        match = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", "").strip())
        if answer.status not in (OK, ACCEPTED, NO_CONTENT) or not match:
            raise _Lost
        # "0-0" is how nothing at all is said, too.
        self._is_at(int(match[1]) + 1 if int(match[1]) else 0)
        self._took(answer)

    def _send(self, backoff: Backoff) -> None:
        while not self.whole and self.done < self.descriptor.size:
            count = min(PIECE, self.descriptor.size - self.done)
            headers = {"Content-Range": f"{self.done}-{self.done + count - 1}"}
            answer = self._stream("PATCH", self.location, self.done, count, headers)
            if answer.status in REFUSED_PIECE:
                raise _PiecesRefused if self.done == 0 else _Lost
            if answer.status not in (ACCEPTED, NO_CONTENT):
                raise refusal(self.repository.registry.name, self.repository.name, answer)
            self.done += count
            self._took(answer)
            backoff.succeeded()
        self._commit()

    def _commit(self) -> None:
        query = "&" if urlsplit(self.location).query else "?"
        target = f"{self.location}{query}digest={self.descriptor.digest}"
        count = self.descriptor.size if self.whole else 0
        answer = self._stream("PUT", target, 0, count, {}, COMMIT_SECONDS)
        if answer.status == NOT_FOUND and not self.whole:
            raise _Lost
        if answer.status not in (CREATED, ACCEPTED, NO_CONTENT):
            raise refusal(self.repository.registry.name, self.repository.name, answer)

    def _stream(
        self,
        method: str,
        path: str,
        start: int,
        count: int,
        headers: dict[str, str],
        seconds: float | None = None,
    ) -> Answer:
        """Send a part of the content. Raises Interrupted, with the progress taken back."""
        told = _Told(Slice(self.content, start, count), self.advance)
        headers = {
            **headers,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(count),
        }
        registry = self.repository.registry
        taken = False
        try:
            answer = read_answer(
                registry.name,
                registry.send(
                    method, self.repository.name, path, headers=headers, body=told, seconds=seconds
                ),
            )
            taken = answer.status in (CREATED, ACCEPTED, NO_CONTENT)
        finally:
            if not taken:
                self.advance(-told.sent)
        return answer

    def _is_at(self, done: int) -> None:
        self.advance(done - self.done)
        self.done = done

    def _took(self, answer: Answer) -> None:
        """The registry says after each step where the next one goes."""
        self.location = answer.headers.get("Location") or self.location
        if not self.location:
            raise RegistryError(f"{self.repository} accepts an upload without saying where to")
        if not self.whole:
            registry = self.repository.registry
            url = registry.url(self.repository.name, self.location)
            self.journal.note(str(self.repository), self.descriptor.digest, url)

    def _gave_up(self, error: Exception) -> RegistryError:
        said = str(error) or "the registry lost what it had got"
        return RegistryError(
            f"the upload to {self.repository} broke off again and again: {said}",
            "run the same command again: what is there already is not sent twice",
        )


@dataclass
class _Told:
    """Content that tells how much of it has been taken."""

    content: Content
    advance: Advance
    sent: int = 0

    @property
    def size(self) -> int:
        return self.content.size

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        # Sent again from the beginning, after the registry wanted to know who we are.
        self.advance(-self.sent)
        self.sent = 0
        for piece in self.content.pieces(start):
            yield piece
            self.sent += len(piece)
            self.advance(len(piece))


def _nobody(_count: int) -> None:
    """Nobody listens."""
