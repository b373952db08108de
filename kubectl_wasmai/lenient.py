"""Reads an object although some of its fields are not what they should be.

One odd field must neither hide the object, since "there is no such class" would be a lie, nor stop
the doctor. It is left out, and said.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_FIELDS = 20
"""An object with more odd fields than this is given up: it is something else."""

_PLACE = re.compile(r"(?P<what>.*?) - at (?P<key>`key` in )?`\$(?P<path>.*)`", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_GOT = re.compile(r"got `(?P<type>\w+)`")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}
_Step = str | int | None
"""A member's name, an item's position, or all that are of the wrong type."""


def read(document: Any, type_: type[T]) -> tuple[T | None, tuple[str, ...]]:
    """The object as far as it can be understood, and a sentence for each field left out.

    ``None`` where nothing can be. ``document`` stays as it is. A field that is null is as good as
    absent, as it is for Kubernetes.
    """
    odd: list[str] = []
    for _ in range(MAX_FIELDS):
        try:
            return msgspec.convert(document, type_), tuple(odd)
        except msgspec.ValidationError as error:
            place = _PLACE.fullmatch(str(error))
            if place is None or not place["path"]:
                return None, (*odd, str(error))
            got = _GOT.search(place["what"])
            wrong = "object" if place["key"] else got["type"] if got else ""
            document = _without(document, _steps(place), wrong, keys=bool(place["key"]))
            if wrong != "null":
                odd.append(f"{place['path'].lstrip('.')}: {place['what']}")
    return None, tuple(odd)


def _steps(place: re.Match[str]) -> list[_Step]:
    found = _STEP.finditer(place["path"])
    steps: list[_Step] = [int(each["index"]) if each["index"] else each["name"] for each in found]
    return [*steps, None] if place["key"] else steps


def _without(value: Any, steps: list[_Step], wrong: str, *, keys: bool) -> Any:
    """A copy that lacks what the steps lead to; only the containers on the way are copied."""
    step, *rest = steps
    if step is None:
        return _filtered(value, rest, wrong, keys=keys)
    copy = value.copy()
    if rest:
        copy[step] = _without(copy[step], rest, wrong, keys=keys)
    else:
        del copy[step]
    return copy


def _filtered(value: Any, rest: list[_Step], wrong: str, *, keys: bool) -> Any:
    """Msgspec names no key of a mapping: all members that are as wrong as the one it met go."""
    if keys:
        return {key: inner for key, inner in value.items() if isinstance(key, str)}
    if rest:
        return {}
    members = value.items()
    return {
        key: inner for key, inner in members if not isinstance(inner, _TYPES.get(wrong, object))
    }
