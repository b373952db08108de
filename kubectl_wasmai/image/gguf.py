"""The header of a GGUF file: architecture, parameters, quantisation, tokenizer, chat template.

Source: ``docs/gguf.md`` of ggml (the layout) and its ``ggml.h`` (types and block sizes). The
weights themselves are never read; that they are all there is told from offsets and file size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from kubectl_wasmai.image.binary import LONGEST_TEXT, Corrupt, Window, window

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_ENTRIES = 100_000
"""Metadata entries and tensors; real files have some hundreds of either."""
MOST_ITEMS = 4_000_000
"""Texts in arrays: vocabularies have up to 300,000."""
DEEPEST_ARRAY = 4
MOST_DIMENSIONS = 4
MOST_KEPT = 8 << 20
SMALLEST_ENTRY = 13
"""Bytes of a metadata entry with an empty key and a one-byte value; of a tensor: more."""

Value = int | float | bool | str | None


class Layout(NamedTuple):
    """Of a tensor type: ``block_bytes`` for each ``block`` elements."""

    name: str
    block: int
    block_bytes: int


TYPES = {
    0: Layout("F32", 1, 4), 1: Layout("F16", 1, 2), 2: Layout("Q4_0", 32, 18),
    3: Layout("Q4_1", 32, 20), 6: Layout("Q5_0", 32, 22), 7: Layout("Q5_1", 32, 24),
    8: Layout("Q8_0", 32, 34), 10: Layout("Q2_K", 256, 84),
    11: Layout("Q3_K", 256, 110), 12: Layout("Q4_K", 256, 144), 13: Layout("Q5_K", 256, 176),
    14: Layout("Q6_K", 256, 210), 16: Layout("IQ2_XXS", 256, 66),
    17: Layout("IQ2_XS", 256, 74), 18: Layout("IQ3_XXS", 256, 98), 19: Layout("IQ1_S", 256, 50),
    20: Layout("IQ4_NL", 32, 18), 21: Layout("IQ3_S", 256, 110), 22: Layout("IQ2_S", 256, 82),
    23: Layout("IQ4_XS", 256, 136), 24: Layout("I8", 1, 1), 25: Layout("I16", 1, 2),
    26: Layout("I32", 1, 4), 27: Layout("I64", 1, 8), 28: Layout("F64", 1, 8),
    29: Layout("IQ1_M", 256, 56), 30: Layout("BF16", 1, 2), 34: Layout("TQ1_0", 256, 54),
    35: Layout("TQ2_0", 256, 66), 39: Layout("MXFP4", 32, 17),
}  # fmt: skip

# Metadata value types: the struct letter of each number.
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_BOOL, _TEXT, _ARRAY = 7, 8, 9


@dataclass
class GgufModel:
    """What a header says."""

    version: int = 0
    metadata: dict[str, Value] = field(default_factory=dict)
    """Numbers and texts; of an array only its length, as ``NAME#``."""
    parameters: int = 0
    tensor_bytes: dict[str, int] = field(default_factory=dict)
    """Bytes of weights by tensor type."""
    tensors: int = 0

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture") or "unknown")

    def number(self, name: str) -> int | None:
        """A whole number of the architecture, such as ``context_length``."""
        value = self.metadata.get(f"{self.architecture}.{name}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def quantization(self) -> str:
        """The tensor type that most of the weights have."""
        if not self.tensor_bytes:
            return "unknown"
        return max(self.tensor_bytes, key=lambda name: self.tensor_bytes[name])


def read_gguf(file: BinaryIO, size: int) -> GgufModel:
    """Read the header of ``file``. Raises Corrupt, also where weights are missing."""
    header = window(file, size)
    if header.read(4) != MAGIC:
        raise Corrupt("it does not begin with GGUF")
    (version,) = header.unpack("<I")
    if version not in VERSIONS:
        raise Corrupt(_version_problem(version))
    tensors, entries = header.unpack("<QQ")
    for count, what in ((tensors, "tensors"), (entries, "metadata entries")):
        if count > MOST_ENTRIES or count * SMALLEST_ENTRY > header.left:
            raise Corrupt(f"it announces {count} {what}")
    model = GgufModel(version=version, tensors=tensors)
    _Header(header, model).read(entries)
    return model


def _version_problem(version: int) -> str:
    if version.to_bytes(4, "little") in (n.to_bytes(4, "big") for n in VERSIONS):
        return "it is written in big-endian byte order, which WebAssembly does not use"
    return f"it has version {version} of the format; versions 2 and 3 are known"


class _Header:
    def __init__(self, window: Window, model: GgufModel) -> None:
        self.window = window
        self.model = model
        self.items = MOST_ITEMS
        self.kept = MOST_KEPT

    def read(self, entries: int) -> None:
        for _ in range(entries):
            self._entry()
        end = 0
        for _ in range(self.model.tensors):
            end = max(end, self._tensor())
        start = _aligned(self.window.position, self._alignment())
        missing = start + end - self.window.end
        if missing > 0:
            raise Corrupt(f"the last {missing} bytes of its weights are missing")

    def _entry(self) -> None:
        key = self._text()
        (kind,) = self.window.unpack("<I")
        value: Value
        if kind == _ARRAY:
            key, value = f"{key}#", self._array(depth=1)
        else:
            value = self._scalar(kind)
        self.kept -= len(key) + (len(value) if isinstance(value, str) else 0) + 80
        if self.kept < 0:
            raise Corrupt("its metadata is too large")
        self.model.metadata[key] = value

    def _scalar(self, kind: int) -> Value:
        if kind == _TEXT:
            return self._text(shortened=True)
        if kind not in _SCALARS:
            raise Corrupt(f"value type {kind} at byte {self.window.position}")
        (value,) = self.window.unpack(_SCALARS[kind])
        return bool(value) if kind == _BOOL else value

    def _text(self, *, shortened: bool = False) -> str:
        """``shortened``: of a text longer than any that matters, None of it is kept."""
        (length,) = self.window.unpack("<Q")
        if shortened and length > LONGEST_TEXT:
            self.window.skip(length)
            return ""
        return self.window.text(length)

    def _array(self, depth: int) -> int:
        """Passes over an array; returns its length."""
        kind, length = self.window.unpack("<IQ")
        if depth > DEEPEST_ARRAY:
            raise Corrupt("its arrays nest too deeply")
        if kind in _WIDTHS:
            self.window.skip(length * _WIDTHS[kind])
            return length
        if kind not in (_TEXT, _ARRAY):
            raise Corrupt(f"array of value type {kind} at byte {self.window.position}")
        self.items -= length
        if self.items < 0 or length * 8 > self.window.left:
            raise Corrupt(f"it announces an array of {length} texts")
        for _ in range(length):
            if kind == _TEXT:
                (count,) = self.window.unpack("<Q")
                self.window.skip(count)
            else:
                self._array(depth + 1)
        return length

    def _tensor(self) -> int:
        """Counts one tensor; returns where its weights end."""
        name = self._text()
        (dimensions,) = self.window.unpack("<I")
        if dimensions > MOST_DIMENSIONS:
            raise Corrupt(f"tensor {name!r} has {dimensions} dimensions")
        shape = self.window.unpack(f"<{dimensions}Q")
        kind, offset = self.window.unpack("<IQ")
        if kind not in TYPES:
            raise Corrupt(f"tensor {name!r} has the unknown type {kind}")
        layout = TYPES[kind]
        elements = math.prod(shape)
        if elements >= 1 << 63 or offset >= 1 << 63:
            raise Corrupt(f"tensor {name!r} has impossible sizes")
        count = -(-elements // layout.block) * layout.block_bytes
        self.model.parameters += elements
        total = self.model.tensor_bytes.get(layout.name, 0)
        self.model.tensor_bytes[layout.name] = total + count
        return offset + count

    def _alignment(self) -> int:
        value = self.model.metadata.get("general.alignment", 32)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1 << 20:
            raise Corrupt(f"its alignment is {value!r}")
        return value


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
