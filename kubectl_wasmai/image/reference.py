"""Names of images: ``REGISTRY/REPOSITORY:TAG@DIGEST``, completed as Docker completes them.

Source: the grammar in ``reference/reference.go`` of the distribution project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kubectl_wasmai.errors import InputError

DOCKER_HUB = "docker.io"
_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LONGEST = 255


@dataclass(frozen=True)
class Reference:
    """A complete name. ``tag`` and ``digest`` may be missing; one of them never is."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return (
            self.name
            + (f":{self.tag}" if self.tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest if there is one, else the tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> Reference:
        """The same image by its digest alone."""
        return replace(self, tag="", digest=digest)


def parse_reference(text: str) -> Reference:
    """Read a name as people write it; ``latest`` where neither tag nor digest is given.

    Raises InputError.
    """
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.rpartition("/")
    last, _, tag = tail.partition(":")
    path = head + slash + last
    registry, slash, repository = path.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = DOCKER_HUB, path
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    usual = "" if digest or ":" in tail else "latest"
    found = Reference(registry, repository, tag or usual, digest)
    problem = _problem(found, tagged=":" in tail, digested="@" in text)
    if problem:
        raise InputError(
            f"{text!r} is no name of an image: {problem}",
            "write it as REGISTRY/NAME:TAG, such as registry.example.com/team/mnist:1",
        )
    return found


def _problem(found: Reference, *, tagged: bool, digested: bool) -> str:
    if not _HOST.fullmatch(found.registry):
        return f"{found.registry!r} is no registry"
    if not _REPOSITORY.fullmatch(found.repository):
        upper = found.repository != found.repository.lower()
        return "capital letters are not allowed" if upper else f"{found.repository!r} is no path"
    if (tagged or found.tag) and not _TAG.fullmatch(found.tag):
        return f"{found.tag!r} is no tag"
    if digested and not DIGEST.fullmatch(found.digest):
        return f"{found.digest!r} is no sha256 digest"
    return "it is too long" if len(found.repository) > LONGEST else ""
