"""GGUF files as bytes, written by hand: also such as no library would write."""

from __future__ import annotations

import struct
from typing import Any

KINDS: dict[type, tuple[int, str]] = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f")}


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value: Any) -> bytes:
    """A metadata value with its type in front."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        first = typed(value[0]) if value else struct.pack("<I", 4)
        items = b"".join(typed(each)[4:] for each in value)
        return struct.pack("<I", 9) + first[:4] + struct.pack("<Q", len(value)) + items
    number, form = KINDS[type(value)]
    return struct.pack("<I", number) + struct.pack(form, value)


def gguf(
    metadata: dict[str, Any] | None = None,
    tensors: list[tuple[str, list[int], int, int]] | None = None,
    *,
    version: int = 3,
    weights: int | None = None,
) -> bytes:
    """Tensors are (name, shape, type, offset); ``weights`` bytes follow, default enough."""
    metadata = {"general.architecture": "llama"} if metadata is None else metadata
    tensors = [("a", [32, 2], 0, 0)] if tensors is None else tensors
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        out += text(key) + typed(value)
    for name, shape, kind, offset in tensors:
        out += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        out += struct.pack("<IQ", kind, offset)
    alignment = metadata.get("general.alignment", 32)
    out += bytes(-len(out) % alignment if isinstance(alignment, int) and alignment else 0)
    return out + bytes(4 * 64 if weights is None else weights)
