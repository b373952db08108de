"""Redacts a snapshot that somebody saved by hand, member by member, keeping its layout."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot.documents import documents
from kubectl_wasmai.snapshot.redact import Redactor, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot.save import Member


def redacted(members: Iterable[tuple[str, bytes]]) -> Iterator[Member]:
    """Each member's name (YAML becomes JSON) and its content without secrets.

    Raises ``InputError`` for what cannot be understood: it cannot be redacted either.
    """
    redactor = Redactor()
    for name, content in members:
        path = PurePosixPath(name)
        if path.suffix in (".log", ".prom"):
            yield name, [redact_text(content.decode("utf-8", "replace")).encode()]
            continue
        try:
            parts = documents(path.suffix, content)
            clean = [redactor.object(part) for part in parts]
            body = msgspec.json.encode(clean[0] if len(clean) == 1 else _list(clean))
        except (RecursionError, ValueError, TypeError) as error:
            raise InputError(f"{name} in the snapshot is not readable: {error}") from error
        renamed = name if path.suffix == ".json" else f"{name}.json"
        yield renamed, [msgspec.json.format(body, indent=1), b"\n"]


def _list(items: list[object]) -> dict[str, object]:
    return {"kind": "List", "apiVersion": "v1", "items": items}
