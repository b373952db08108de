"""Turns files that kubectl or ``snapshot save`` wrote into a snapshot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from kubectl_wasmai import lenient
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.heap import no_garbage_collection
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot.documents import documents, utf8
from kubectl_wasmai.snapshot.files import read_members
from kubectl_wasmai.snapshot.model import (
    ClusterSnapshot,
    Collection,
    LogKey,
    MetricsKey,
    SnapshotInfo,
    Unreadable,
)
from kubectl_wasmai.snapshot.objects import TYPES, Object
from kubectl_wasmai.snapshot.workloads import Subject

if TYPE_CHECKING:
    from kubectl_wasmai.resources import Resource

T = TypeVar("T")

INFO_FILE = "snapshot.json"
VERSION_FILE = "version.json"

_STAMP = rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
_OBJECT_TIME = re.compile(rb'(?:(?<!deletion)Timestamp|Time|edAt)"?: *"?' + _STAMP)
"""Times at which something was seen: a deletion or the end of a certificate lies ahead."""
_LOG_TIME = re.compile(rb"^" + _STAMP, re.MULTILINE)
_BY_FILE = {BY_KIND[kind].listed_as: kind for kind in TYPES}
MAX_LOG = 1024 * 1024
MAX_LINES = 5000
"""Bytes and lines of a log that are judged, from its end: ``collect`` reads far less."""


@dataclass
class _Reading:
    """What has been read so far. ``times``: the newest one of each file."""

    objects: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)
    logs: dict[LogKey, str] = field(default_factory=dict)
    metrics: dict[MetricsKey, str] = field(default_factory=dict)
    info: SnapshotInfo | None = None
    server_version: str = ""
    unreadable: list[Unreadable] = field(default_factory=list)
    times: set[bytes] = field(default_factory=set)


def load(source: str) -> ClusterSnapshot:
    """A snapshot from a file, directory, ``.tar.gz`` or ``-``.

    Kinds that do not occur are missing, not absent. Its time is the recorded one, else the
    newest time found in it, never the clock. Raises ``InputError`` where nothing usable is found.
    """
    reading = _Reading()
    with no_garbage_collection():
        for name, content in read_members(source, lambda *pair: _unread(reading, *pair)):
            _member(reading, name, content)
    if not reading.objects:
        raise InputError(
            f"no Kubernetes objects found in {source}",
            "expected what `kubectl get … -o json` or `kubectl wasmai snapshot save` writes",
        )
    # By namespace and name, as a live snapshot's.
    objects = {
        kind: tuple(by_name[key] for key in sorted(by_name))
        for kind, by_name in reading.objects.items()
    }
    return ClusterSnapshot(_info(reading, objects), "file", objects, reading.logs, reading.metrics)


def _unread(reading: _Reading, name: str, reason: str) -> None:
    reading.unreadable.append(Unreadable(name, reason))


def _info(reading: _Reading, objects: dict[str, tuple[Object, ...]]) -> SnapshotInfo:
    recorded = reading.info
    if recorded is None:
        missing = tuple(kind for kind in TYPES if kind not in objects)
        collection = Collection(missing=missing, unreadable=tuple(reading.unreadable))
        return SnapshotInfo(
            server_version=reading.server_version,
            taken_at=_latest(reading.times),
            collection=collection,
        )
    # What was odd when it was collected is odd again: it is told once, as it was then.
    told = {each.object for each in recorded.collection.unreadable}
    new = [each for each in reading.unreadable if each.object.partition(" in ")[0] not in told]
    unreadable = (*recorded.collection.unreadable, *new)
    return msgspec.structs.replace(
        recorded,
        server_version=reading.server_version or recorded.server_version,
        collection=msgspec.structs.replace(recorded.collection, unreadable=unreadable),
    )


def _member(reading: _Reading, name: str, content: bytes) -> None:
    path = PurePosixPath(name)
    try:
        if path.suffix == ".log":
            _log(reading, path, content)
        elif path.suffix == ".prom":
            if (told_by := _metrics_key(path)) is not None:
                reading.metrics[told_by] = content.decode("utf-8", "replace")
        elif path.name == VERSION_FILE:
            reading.server_version = _server_version(msgspec.json.decode(utf8(content)))
        elif path.name == INFO_FILE and (info := _recorded_info(content)) is not None:
            reading.info = info
        else:
            _objects_of(reading, name, content)
    except (RecursionError, ValueError) as error:
        raise InputError(
            f"{name} in the snapshot is not readable: {error}",
            "it may be only half written; remove it or save the snapshot again",
        ) from error
    if reading.info is None:
        pattern = _LOG_TIME if path.suffix in (".log", ".prom") else _OBJECT_TIME
        reading.times.add(max(pattern.findall(content), default=b""))


def _objects_of(reading: _Reading, name: str, content: bytes) -> None:
    path, text = PurePosixPath(name), utf8(content)
    plural = path.stem.removesuffix(".yaml").removesuffix(".yml")
    if (kind := _BY_FILE.get(plural)) is not None:
        # kubectl calls a list without items a List, of whatever was asked for.
        reading.objects.setdefault(kind, {})
    suffix = path.suffix
    if suffix != ".json" or not _list_of_one_kind(reading, text):
        for document in documents(suffix, text):
            _objects(reading, name, document)


def _log(reading: _Reading, path: PurePosixPath, content: bytes) -> None:
    key = _log_key(path)
    if key is None:
        return
    text = content[-MAX_LOG:].decode("utf-8", "replace")
    # The first line of a part is a part of a line.
    lines = text.split("\n")[1 if len(content) > MAX_LOG else 0 :]
    if len(content) > MAX_LOG or len(lines) > MAX_LINES:
        text = "\n".join(lines[-MAX_LINES:])
        _unread(reading, str(path), "only its end was judged")
    reading.logs[key] = text


def _latest(times: set[bytes]) -> datetime:
    for text in sorted(times, reverse=True):
        try:
            return msgspec.convert(text.decode(), datetime).astimezone(timezone.utc)
        except (msgspec.ValidationError, OverflowError):
            continue
    return datetime.fromtimestamp(0, tz=timezone.utc)


class _Kind(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""


class _Kinds(_Kind):
    items: list[_Kind] | None = None


class _ListOf(msgspec.Struct, Generic[T]):
    items: list[T] | None = None


def _list_of_one_kind(reading: _Reading, content: bytes) -> bool:
    """What is read a hundred times more often than anything else, ten times faster: a List whose
    items are all of one kind and fit its type. False, and nothing read, where it is none."""
    try:
        found = msgspec.json.decode(content, type=_Kinds)
        kinds = {(each.kind, each.api_version or found.api_version) for each in found.items or ()}
        kind, group = next(iter(kinds), ("", found.api_version))
        kind = kind or found.kind.removesuffix("List")
        if len(kinds) > 1 or not found.kind.endswith("List") or not _is_ours(kind, group):
            return False
        type_: Any = _ListOf[TYPES[kind]]  # type: ignore[valid-type]  # known when it runs
        items = msgspec.json.decode(content, type=type_).items or ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if not all(item.name for item in items):
        return False
    named = reading.objects.setdefault(kind, {})
    for item in items:
        named[item.namespace, item.name] = with_kind(BY_KIND[kind], item)
    return True


def _objects(reading: _Reading, where: str, document: Any) -> None:
    """One object, a List of objects, or a bare array of them; a List may be of a kind."""
    if isinstance(document, list):
        for item in document:
            _objects(reading, where, item)
        return
    if not isinstance(document, dict):
        raise ValueError("expected a Kubernetes object")  # noqa: TRY004 - becomes an InputError
    kind = document.get("kind")
    items = document.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list | type(None)):
        item_kind = kind.removesuffix("List")
        if _is_ours(item_kind, document.get("apiVersion")):
            reading.objects.setdefault(item_kind, {})
        for item in items or ():
            stamped = {"kind": item_kind, **item} if item_kind and isinstance(item, dict) else item
            _objects(reading, where, stamped)
    elif _is_ours(kind, document.get("apiVersion")):
        _object(reading, where, str(kind), document)


def _is_ours(kind: Any, api_version: Any) -> bool:
    """Other API groups have kinds of the same name: Kyverno's ClusterPolicy, Knative's Service.
    Events are of two groups, and a List by kubectl is of the core's whatever it holds."""
    if not isinstance(kind, str) or kind not in TYPES:
        return False
    group = str(api_version or "").rpartition("/")[0]
    return group in ("", BY_KIND[kind].group) or kind == "Event"


def with_kind(resource: Resource, item: Object) -> Object:
    """Items of a List need not carry their kind; the checks want it."""
    if item.kind and item.api_version:
        return item
    return msgspec.structs.replace(item, api_version=resource.api_version, kind=resource.kind)


def _object(reading: _Reading, where: str, kind: str, document: dict[str, Any]) -> None:
    document = {"apiVersion": BY_KIND[kind].api_version, **document}
    found = reading.objects.setdefault(kind, {})
    item, reasons = lenient.read(document, TYPES[kind])
    name = _named(kind, document)
    reading.unreadable += [Unreadable(f"{name} in {where}", reason) for reason in reasons]
    if item is not None and item.name:
        found[item.namespace, item.name] = item
    elif not reasons:
        _unread(reading, f"{name} in {where}", "it has no name")


def _named(kind: str, document: dict[str, Any]) -> str:
    """``Pod shop/web-1`` of an object whatever its fields hold."""
    metadata = document.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    return str(Subject(kind, str(found.get("namespace") or ""), str(found.get("name") or "?")))


def _log_key(path: PurePosixPath) -> LogKey | None:
    """``logs/<namespace>/<pod>/<container>[.previous].log``, in whatever folder."""
    match path.parts:
        case [*_, "logs", namespace, pod, _]:
            container = path.name.removesuffix(".log")
            previous = container.endswith(".previous")
            return LogKey(namespace, pod, container.removesuffix(".previous"), previous)
    return None


def _metrics_key(path: PurePosixPath) -> MetricsKey | None:
    """``metrics/<namespace>/<pod>.prom``, in whatever folder."""
    match path.parts:
        case [*_, "metrics", namespace, _]:
            return MetricsKey(namespace, path.name.removesuffix(".prom"))
    return None


def _server_version(document: Any) -> str:
    server = document.get("serverVersion") if isinstance(document, dict) else None
    return str(server.get("gitVersion", "")) if isinstance(server, dict) else ""


class _InfoDocument(_Kind):
    info: SnapshotInfo | None = None


def _recorded_info(content: bytes) -> SnapshotInfo | None:
    """None where the file holds something else: people call their own lists like that, too."""
    return msgspec.json.decode(utf8(content), type=_InfoDocument).info
