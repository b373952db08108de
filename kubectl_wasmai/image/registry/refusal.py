"""A registry's answer; and what a refusal means, in words, with the registry's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import urllib3

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
LARGEST_ANSWER = 8 << 20
"""Bytes; manifests have at most 4 MiB."""


@dataclass(frozen=True)
class Answer:
    """A small answer, read to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    data: bytes


def read_answer(registry: str, answer: urllib3.BaseHTTPResponse) -> Answer:
    """Raises RegistryError where it is too large to be what was asked for."""
    data = answer.read(LARGEST_ANSWER + 1)
    if len(data) > LARGEST_ANSWER:
        answer.close()
        raise RegistryError(f"{registry} sends an answer without an end")
    answer.release_conn()
    return Answer(answer.status, answer.reason or "", answer.headers, data)


def refusal(registry: str, repository: str, answer: Answer) -> RegistryError:
    """What an unexpected status means, with the registry's own words."""
    said = error_text(answer)
    if answer.status in (UNAUTHORIZED, FORBIDDEN):
        return RegistryError(
            f"{registry} does not allow this for {repository} ({answer.status}{said})",
            f"log in with an account that may: docker login {registry}, or podman login {registry}",
        )
    if answer.status == NOT_FOUND:
        return RegistryError(
            f"{registry} has no such thing in {repository}{said}",
            "check the name and the tag; some registries say so, too, when you are not logged in",
        )
    return RegistryError(
        f"{registry} answered {answer.status} {answer.reason} for {repository}{said}"
    )


def error_text(answer: Answer) -> str:
    """``: CODE message`` of an answer's errors, or nothing."""
    try:
        errors = json.loads(answer.data)["errors"]
        texts = [f"{one.get('code', '')} {one.get('message', '')}".strip() for one in errors[:3]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    text = "; ".join(texts)
    return ": " + "".join(filter(str.isprintable, text))[:300] if text else ""
