"""ONNX models as bytes, written by hand: also such as no library would write."""

from __future__ import annotations

import struct
from typing import Any

Field = tuple[int, "int | float | bytes | str"]


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: Field) -> bytes:
    """A message of (number, value): ints are varints, floats fixed32, the rest is bytes."""
    return b"".join(_field(*each) for each in fields)


def _field(number: int, value: float | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(op_type: str, *attributes: bytes, domain: str = "") -> bytes:
    more: list[Field] = [(5, each) for each in attributes]
    return message((1, "x"), (2, "y"), (4, op_type), (7, domain), *more)


def tensor(name: str, dims: list[int], dtype: int = 1, **more: Any) -> bytes:
    fields: list[Field] = [(1, each) for each in dims]
    fields += [(2, dtype), (8, name)]
    if "raw" in more:
        fields.append((9, more["raw"]))
    if "external" in more:
        fields += [(13, message((1, "location"), (2, more["external"]))), (14, 1)]
    return message(*fields)


def value(name: str, dtype: int = 1, shape: list[int | str] | None = None) -> bytes:
    """A ValueInfoProto of a tensor."""
    dims = [message((1, each) if isinstance(each, int) else (2, each)) for each in shape or []]
    type_: list[Field] = [(1, dtype)]
    if shape is not None:
        type_.append((2, message(*((1, each) for each in dims))))
    return message((1, name), (2, message((1, message(*type_)))))


def graph(*fields: Field) -> bytes:
    return message(*fields)


def model(graph: bytes, **more: Any) -> bytes:
    opset = message((1, ""), (2, more.get("opset", 17)))
    extra: list[Field] = more.get("extra", [])
    return message((1, more.get("ir", 8)), (2, "hand"), (7, graph), (8, opset), *extra)


def small_model(**more: Any) -> bytes:
    """y = x * w: one input, one weight, one output."""
    return model(
        graph(
            (1, node("Mul")),
            (5, tensor("w", [2, 3], raw=bytes(24), **more)),
            (11, value("x", shape=["batch", 3])),
            (12, value("y", shape=["batch", 3])),
        )
    )
