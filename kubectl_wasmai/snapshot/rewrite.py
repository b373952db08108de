"""Redacts a snapshot that somebody saved by hand, member by member, keeping its layout."""

from __future__ import annotations

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot.load import INFO_FILE, VERSION_FILE, documents
from kubectl_wasmai.snapshot.redact import redact_object, redact_text


def redacted(name: str, content: bytes) -> tuple[str, list[bytes]]:
    """A member's new name (YAML becomes JSON) and its content without secrets."""
    if name.endswith((".log", ".prom")):
        return name, [redact_text(content.decode("utf-8", "replace")).encode()]
    if name in (INFO_FILE, VERSION_FILE):
        return name, [content]
    stem, _, suffix = name.rpartition(".")
    try:
        parts = documents(f".{suffix}", content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{name} in the snapshot is not readable: {error}") from error
    document = parts[0] if len(parts) == 1 else {"kind": "List", "apiVersion": "v1", "items": parts}
    body = msgspec.json.format(msgspec.json.encode(redact_object(document)), indent=1)
    return f"{stem}.json", [body, b"\n"]
