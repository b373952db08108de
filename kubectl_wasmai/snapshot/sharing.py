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

if typing.TYPE_CHECKING:
    from msgspec.structs import FieldInfo

T = TypeVar("T", bound=Object)
Make = Callable[[Any], Any]
Tidy = Callable[[Any], None]

REMEMBERED = 512
"""Texts of one part. A list comes in the order of names, so those of a template come together."""
WORDS = 4096
"""Words and times: the names of a big cluster's nodes are among them."""

_OPENED = ("metadata", "spec")
_UNLIKE_PARTS = ("status",)
"""Full of times: of each object it is another text."""
_SCALARS = (str, int, float, bool, datetime, type(None))
_UNLIKE = ("name", "uid", "message")
"""Fields whose words hardly ever come twice."""

_force = msgspec.structs.force_setattr
_values_of = msgspec.structs.astuple


class SharingDecoder(Generic[T]):
    """Decodes items of a List of one kind, which carry neither their kind nor apiVersion.

    Raises msgspec.DecodeError and UnicodeDecodeError, as msgspec's own decoder does. Not to be
    used from two threads at once.
    """

    def __init__(self, type_: type[T], kind: str, api_version: str) -> None:
        self.type = type_
        self._words: dict[Any, Any] = {}
        plans = _Plans(self._words.setdefault)
        text, self._make = plans.twin(type_, {"kind": kind, "api_version": api_version})
        self._many = msgspec.json.Decoder(list[text]).decode  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(text).decode

    def many(self, array: bytes) -> list[T]:
        if len(self._words) > WORDS:
            self._words.clear()
        return [self._make(each) for each in self._many(array)]

    def one(self, item: Raw) -> T:
        made: T = self._make(self._one(item))
        return made


class _Plans:
    """Works out for each type, once, how its values are made and what they can share.

    ``same`` gives for a value the equal one that was seen first.
    """

    def __init__(self, same: Callable[[Any, Any], Any]) -> None:
        self._same = same

    def twin(
        self, type_: type[msgspec.Struct], given: dict[str, str]
    ) -> tuple[type[msgspec.Struct], Make]:
        """A type whose parts are text, and what makes the type's own object of it. ``given`` are
        values of fields that the text does not hold."""
        fields: list[tuple[str, Any, Any]] = []
        parts: list[tuple[int, Any, Make]] = []
        words: list[int] = []
        for position, (field, hint, plain) in enumerate(_fields(type_)):
            if field.name in _UNLIKE_PARTS:
                wire, default = hint, field.default
                parts.append((position, field.default, _tidied(self._tidy(hint))))
            elif _is_scalar(plain):
                wire, default = hint, given.get(field.name, field.default)
                if field.name not in (*_UNLIKE, *given) and _is_shared(plain):
                    words.append(position)
            else:
                inner, make = self._inner(type_, field.name, hint, plain)
                wire, default = inner | UnsetType, UNSET
                parts.append((position, field.default, make))
            written = msgspec.field(name=field.encode_name, default=default)
            fields.append((field.name, wire, written))
        text = msgspec.defstruct(f"{type_.__name__}Text", fields, gc=False)
        return text, self._maker(type_, words, parts)

    def _inner(self, type_: type, name: str, hint: Any, plain: Any) -> tuple[type, Make]:
        if name in _OPENED and _is_struct(plain):
            return self.twin(plain, {})
        return Raw, self._part(type_, name, hint)

    def _maker(
        self, type_: type[msgspec.Struct], words: list[int], parts: list[tuple[int, Any, Make]]
    ) -> Make:
        same = self._same

        def make(text: Any) -> Any:
            values = list(_values_of(text))
            for position in words:
                word = values[position]
                if word is not None:
                    values[position] = same(word, word)
            for position, default, part in parts:
                value = values[position]
                values[position] = default if value is UNSET else part(value)
            return type_(*values)

        return make

    def _part(self, type_: type, name: str, hint: Any) -> Make:
        decode = msgspec.json.Decoder(hint).decode
        tidy = self._tidy(hint)
        known: dict[bytes, Any] = {}
        named = type_ is PodSpec and name in ("containers", "init_containers", "volumes")

        def part(raw: Raw) -> Any:
            text = without_random_name(bytes(raw)) if named else bytes(raw)
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

    def _tidy(self, hint: Any) -> Tidy | None:
        """What makes a decoded value, and all in it, share words and times; None: it has none."""
        for member in _members(hint):
            origin, inner = typing.get_origin(member), typing.get_args(member)
            if origin is list:
                each = self._tidy(inner[0])
                return None if each is None else _all(each)
            if origin is dict and str in _members(inner[1]):
                return self._tidy_values
            if _is_struct(member):
                return self._tidy_fields(member)
        return None

    def _tidy_values(self, mapping: dict[str, Any] | None) -> None:
        for key, value in (mapping or {}).items():
            mapping[key] = self._same(value, value)  # type: ignore[index]  # it has items

    def _tidy_fields(self, type_: type[msgspec.Struct]) -> Tidy:
        names: list[str] = []
        inner: list[tuple[str, Any, Tidy]] = []
        for field, hint, plain in _fields(type_):
            if _is_scalar(plain):
                if _is_shared(plain) and field.name not in ("uid", "message"):
                    names.append(field.name)
            elif (tidy := self._tidy(hint)) is not None:
                inner.append((field.name, field.default, tidy))

        return _fields_tidied(names, inner, self._same)


def _fields_tidied(
    names: list[str], inner: list[tuple[str, Any, Tidy]], same: Callable[[Any, Any], Any]
) -> Tidy:
    def tidy_fields(value: Any) -> None:
        for name in names:
            word = getattr(value, name)
            if word:
                _force(value, name, same(word, word))
        for name, default, tidy in inner:
            found = getattr(value, name)
            if found is None or found is default:
                continue
            if found == default:
                _force(value, name, default)
            else:
                tidy(found)

    return tidy_fields


def _tidied(tidy: Tidy | None) -> Make:
    def tidied(value: Any) -> Any:
        if tidy is not None and value is not None:
            tidy(value)
        return value

    return tidied


def _all(tidy: Tidy) -> Tidy:
    def all_of(values: Any) -> None:
        for value in values or ():
            tidy(value)

    return all_of


_TOKEN = b'"name":"kube-api-access-'


def without_random_name(text: bytes) -> bytes:
    """Containers or volumes without the end that admission makes up for the name of the volume
    that holds the account's token: it says nothing, and makes each pod unlike its siblings."""
    start = text.find(_TOKEN)
    end = start + len(_TOKEN) + 5
    if start < 0 or text[end : end + 1] != b'"':
        return text
    return text.replace(text[start : end + 1], b'"name":"kube-api-access"')


def _fields(type_: type[msgspec.Struct]) -> list[tuple[FieldInfo, Any, Any]]:
    """Each field with its type, and with that without what msgspec is to hold it to."""
    hints = typing.get_type_hints(type_, include_extras=True)
    plain = typing.get_type_hints(type_)
    return [(each, hints[each.name], plain[each.name]) for each in msgspec.structs.fields(type_)]


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union; of another type itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _is_scalar(hint: Any) -> bool:
    return all(member in _SCALARS for member in _members(hint))


def _is_shared(hint: Any) -> bool:
    return bool({str, datetime} & set(_members(hint)))


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)
