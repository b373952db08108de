"""Turns files that kubectl or ``snapshot save`` wrote into a snapshot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.heap import no_garbage_collection
from kubectl_wasmai.jsonlist import Typed
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot.files import read_members
from kubectl_wasmai.snapshot.listings import in_order
from kubectl_wasmai.snapshot.model import (
    ClusterSnapshot,
    Collection,
    LogKey,
    MetricsKey,
    SnapshotInfo,
    Unreadable,
)
from kubectl_wasmai.snapshot.objects import TYPES, Object

if TYPE_CHECKING:
    from kubectl_wasmai.resources import Resource

INFO_FILE = "snapshot.json"
VERSION_FILE = "version.json"

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass
class _Reading:
    """What has been read so far. ``latest`` is the newest time seen anywhere."""

    objects: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)
    logs: dict[LogKey, str] = field(default_factory=dict)
    metrics: dict[MetricsKey, str] = field(default_factory=dict)
    info: SnapshotInfo | None = None
    server_version: str = ""
    unreadable: list[Unreadable] = field(default_factory=list)
    latest: bytes = b""


def load(source: str) -> ClusterSnapshot:
    """A snapshot from a file, directory, ``.tar.gz`` or ``-``.

    Kinds that do not occur are missing, not absent. Its time is the recorded one, else the
    newest time found in it, never the clock. Raises ``InputError`` where nothing usable is found.
    """
    reading = _Reading()
    with no_garbage_collection():
        for name, content in read_members(source):
            _member(reading, name, content)
    if not reading.objects:
        raise InputError(
            f"no Kubernetes objects found in {source}",
            "expected what `kubectl get … -o json` or `kubectl wasmai snapshot save` writes",
        )
    objects = {kind: in_order(by_name.values()) for kind, by_name in reading.objects.items()}
    return ClusterSnapshot(_info(reading, objects), "file", objects, reading.logs, reading.metrics)


def _info(reading: _Reading, objects: dict[str, tuple[Object, ...]]) -> SnapshotInfo:
    if reading.info is not None:
        return msgspec.structs.replace(
            reading.info, server_version=reading.server_version or reading.info.server_version
        )
    latest = reading.latest.decode() or "1970-01-01T00:00:00Z"
    return SnapshotInfo(
        server_version=reading.server_version,
        taken_at=msgspec.convert(latest, datetime).astimezone(timezone.utc),
        collection=Collection(
            missing=tuple(kind for kind in TYPES if kind not in objects),
            unreadable=tuple(reading.unreadable),
        ),
    )


def _member(reading: _Reading, name: str, content: bytes) -> None:
    path = PurePosixPath(name)
    try:
        if path.suffix == ".log":
            if (key := _log_key(path)) is not None:
                reading.logs[key] = content.decode("utf-8", "replace")
        elif path.suffix == ".prom":
            if (told_by := _metrics_key(path)) is not None:
                reading.metrics[told_by] = content.decode("utf-8", "replace")
        elif path.name == VERSION_FILE:
            reading.server_version = _server_version(msgspec.json.decode(content))
        elif path.name == INFO_FILE:
            reading.info = _recorded_info(content)
        else:
            _objects_of(reading, name, content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(
            f"{name} in the snapshot is not readable: {error}",
            "it may be only half written; remove it or save the snapshot again",
        ) from error
    if reading.info is None:
        reading.latest = max(reading.latest, _newest_time(content))


def _objects_of(reading: _Reading, name: str, content: bytes) -> None:
    suffix = PurePosixPath(name).suffix
    if suffix != ".json" or not _list_of_one_kind(reading, content):
        for document in documents(suffix, content):
            _objects(reading, name, document)


def _newest_time(content: bytes) -> bytes:
    return max(_TIME.findall(content), default=b"")


class _Kind(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""


class _List(_Kind):
    items: msgspec.Raw = msgspec.Raw(b"null")


def _list_of_one_kind(reading: _Reading, content: bytes) -> bool:
    """What is read a hundred times more often than anything else, ten times faster: a List whose
    items are all of one kind and fit its type. False, and nothing read, where it is none."""
    try:
        found = msgspec.json.decode(content, type=_List)
        kinds = {
            (each.kind, each.api_version or found.api_version)
            for each in msgspec.json.decode(found.items, type=list[_Kind])
        }
        kind, group = next(iter(kinds), ("", found.api_version))
        kind = kind or found.kind.removesuffix("List")
        if len(kinds) > 1 or not found.kind.endswith("List") or not _is_ours(kind, group):
            return False
        items = Typed(TYPES[kind]).many(found.items)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    named = reading.objects.setdefault(kind, {})
    for item in items:
        named[item.namespace, item.name] = with_kind(BY_KIND[kind], item)
    return True


def documents(suffix: str, content: bytes) -> list[Any]:
    if suffix == ".json":
        return [msgspec.json.decode(content)]
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Leaves times as the strings they are in JSON."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in Loader.yaml_implicit_resolvers.items()
    }
    try:
        return [each for each in yaml.load_all(content, Loader) if each is not None]
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")) from error


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
    document.setdefault("apiVersion", BY_KIND[kind].api_version)
    try:
        item = msgspec.convert(document, TYPES[kind])
    except msgspec.ValidationError as error:
        metadata = document.get("metadata")
        name = metadata.get("name", "?") if isinstance(metadata, dict) else "?"
        reading.unreadable.append(Unreadable(f"{kind}/{name} in {where}", str(error)))
        reading.objects.setdefault(kind, {})
        return
    reading.objects.setdefault(kind, {})[(item.namespace, item.name)] = item


def _log_key(path: PurePosixPath) -> LogKey | None:
    """``logs/<namespace>/<pod>/<container>[.previous].log``"""
    if len(path.parts) != 4 or path.parts[0] != "logs":  # noqa: PLR2004 - the layout's depth
        return None
    container = path.name.removesuffix(".log")
    previous = container.endswith(".previous")
    return LogKey(path.parts[1], path.parts[2], container.removesuffix(".previous"), previous)


def _metrics_key(path: PurePosixPath) -> MetricsKey | None:
    """``metrics/<namespace>/<pod>.prom``"""
    if len(path.parts) != 3 or path.parts[0] != "metrics":  # noqa: PLR2004 - the layout's depth
        return None
    return MetricsKey(path.parts[1], path.name.removesuffix(".prom"))


def _server_version(document: Any) -> str:
    server = document.get("serverVersion") if isinstance(document, dict) else None
    return str(server.get("gitVersion", "")) if isinstance(server, dict) else ""


class _InfoDocument(msgspec.Struct, rename="camel"):
    info: SnapshotInfo


def _recorded_info(content: bytes) -> SnapshotInfo:
    return msgspec.json.decode(content, type=_InfoDocument).info
