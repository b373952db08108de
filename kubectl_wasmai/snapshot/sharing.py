"""Decodes objects so that what they have in common is in memory once.

The thousand pods of one template have the same containers, volumes, labels and tolerations. Such
parts are cut out as text, and a text that was seen lately is not decoded again. Objects are
frozen, so nobody can tell that two of them share a part; decoded one by one, 30,000 pods take
350 MB.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from kubectl_wasmai.snapshot.objects import Object, PodSpec

T = TypeVar("T", bound=Object)
Make = Callable[[Any], Any]
Words = dict[Any, Any]
"""Words and times of one text, each to be kept once."""

REMEMBERED = 512
"""Texts of one part. A list comes in the order of names, so those of a template come together."""

_OPENED = ("metadata", "spec", "status")
_SCALARS = (str, int, float, bool, datetime, type(None))
_UNLIKE = ("name", "uid", "message")
"""Fields whose words hardly ever come twice."""

_force = msgspec.structs.force_setattr


class SharingDecoder(Generic[T]):
    """Decodes items of a List of one kind, which carry neither their kind nor apiVersion.

    Raises msgspec.DecodeError and UnicodeDecodeError, as msgspec's own decoder does. Not to be
    used from two threads at once.
    """

    def __init__(self, type_: type[T], kind: str, api_version: str) -> None:
        self._words: Words = {}
        wire, self._make = _plan(type_, self._words, {"kind": kind, "api_version": api_version})
        self._many = msgspec.json.Decoder(list[wire]).decode  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(wire).decode

    def many(self, array: bytes) -> list[T]:
        self._words.clear()
        return [self._make(each) for each in self._many(array)]

    def one(self, item: Raw) -> T:
        made: T = self._make(self._one(item))
        return made


def _plan(
    type_: type[msgspec.Struct], words: Words, given: dict[str, str]
) -> tuple[type[msgspec.Struct], Make]:
    """A twin of a type whose parts are text, and what makes the type's own object of it."""
    hints = typing.get_type_hints(type_)
    fields: list[tuple[str, Any, Any]] = []
    steps: list[tuple[int, Make]] = []
    for position, field in enumerate(msgspec.structs.fields(type_)):
        hint, default = hints[field.name], field.default
        if field.name in given:
            default = given[field.name]
        if _is_scalar(hint):
            fields.append(
                (field.name, hint, msgspec.field(name=field.encode_name, default=default))
            )
            if str in _members(hint) and field.name not in (*_UNLIKE, *given):
                steps.append((position, _same(words)))
            continue
        twin: type
        step: Make
        if field.name in _OPENED and _is_struct(hint):
            twin, step = _plan(hint, words, {})
        else:
            twin, step = Raw, _part(type_, field.name, hint, words)
        fields.append(
            (field.name, twin | UnsetType, msgspec.field(name=field.encode_name, default=UNSET))
        )
        steps.append((position, _or_default(step, default)))
    return msgspec.defstruct(f"{type_.__name__}Text", fields, gc=False), _maker(type_, steps)


def _maker(type_: type[msgspec.Struct], steps: list[tuple[int, Make]]) -> Make:
    values_of = msgspec.structs.astuple

    def make(text: Any) -> Any:
        values = list(values_of(text))
        for position, step in steps:
            values[position] = step(values[position])
        return type_(*values)

    return make


def _same(words: Words) -> Make:
    same = words.setdefault
    return lambda word: same(word, word)


def _or_default(step: Make, default: Any) -> Make:
    return lambda value: default if value is UNSET else step(value)


def _part(type_: type, name: str, hint: Any, words: Words) -> Make:
    decode = msgspec.json.Decoder(hint).decode
    tidy = _sharing_words(hint, words)
    known: dict[bytes, Any] = {}
    is_named_at_random = type_ is PodSpec and name in ("containers", "init_containers", "volumes")

    def part(raw: Raw) -> Any:
        text = bytes(raw)
        if is_named_at_random:
            text = without_random_name(text)
        found = known.get(text)
        if found is None:
            found = decode(text)
            if tidy is not None:
                tidy(found)
            if len(known) >= REMEMBERED:
                known.clear()
            known[text] = found
        return found

    return part


_TOKEN = b'"name":"kube-api-access-'


def without_random_name(text: bytes) -> bytes:
    """Containers or volumes without the end that admission makes up for the name of the volume
    that holds the account's token: it says nothing, and makes each pod unlike its siblings."""
    start = text.find(_TOKEN)
    end = start + len(_TOKEN) + 5
    if start < 0 or text[end : end + 1] != b'"':
        return text
    return text.replace(text[start : end + 1], b'"name":"kube-api-access"')


def _sharing_words(hint: Any, words: Words) -> Callable[[Any], None] | None:
    """What makes a decoded value, and all in it, share words and times; None: it has none."""
    for member in _members(hint):
        if typing.get_origin(member) is list:
            inner = _sharing_words(typing.get_args(member)[0], words)
            return None if inner is None else _each(inner)
        if _is_struct(member):
            return _sharing_fields(member, words)
    return None


def _each(tidy: Callable[[Any], None]) -> Callable[[Any], None]:
    def all_of(values: Any) -> None:
        for value in values or ():
            tidy(value)

    return all_of


def _sharing_fields(type_: type[msgspec.Struct], words: Words) -> Callable[[Any], None]:
    hints = typing.get_type_hints(type_)
    names, inner = [], []
    for field in msgspec.structs.fields(type_):
        hint = hints[field.name]
        if _is_scalar(hint):
            if {str, datetime} & set(_members(hint)) and field.name not in ("uid", "message"):
                names.append(field.name)
        elif (tidy := _sharing_words(hint, words)) is not None:
            inner.append((field.name, field.default, tidy))

    same = words.setdefault

    def tidy_fields(value: Any) -> None:
        for name in names:
            word = getattr(value, name)
            if word:
                _force(value, name, same(word, word))
        for name, default, tidy in inner:
            found = getattr(value, name)
            if found is not None and found is not default:
                tidy(found)

    return tidy_fields


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union; of another type itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _is_scalar(hint: Any) -> bool:
    return all(member in _SCALARS for member in _members(hint))


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)
