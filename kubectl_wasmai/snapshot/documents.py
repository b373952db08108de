"""The documents in a JSON or YAML file, however it was written."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from kubectl_wasmai.snapshot.yaml_documents import yaml_documents


def documents(suffix: str, content: bytes) -> list[Any]:
    """Decoded, in the file's order. Raises ``ValueError`` (msgspec's errors are such)."""
    text = utf8(content)
    return [msgspec.json.decode(text)] if suffix == ".json" else yaml_documents(text)


def utf8(content: bytes) -> bytes:
    """PowerShell's ``>`` writes UTF-16; others put a mark before UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16").encode()
    return content.removeprefix(codecs.BOM_UTF8)
