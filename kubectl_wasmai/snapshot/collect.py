"""Collects a snapshot from a live cluster: a fixed number of lists, then a few bounded logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai import lenient, resources
from kubectl_wasmai.errors import ApiError, Forbidden, NotFound
from kubectl_wasmai.snapshot.exporters import ask_exporters
from kubectl_wasmai.snapshot.log_targets import log_targets
from kubectl_wasmai.snapshot.model import (
    ClusterSnapshot,
    Collection,
    Denied,
    LogKey,
    SnapshotInfo,
    Unreadable,
)
from kubectl_wasmai.snapshot.objects import TYPES, Object
from kubectl_wasmai.snapshot.workloads import Subject

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster
    from kubectl_wasmai.resources import Resource

Progress = Callable[[str], None]

WORKERS = 6
LOG_LINES = 200
LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class Collected:
    """A snapshot, and the whole objects it was read from where they were kept for saving."""

    snapshot: ClusterSnapshot
    whole: Mapping[str, tuple[dict[str, Any], ...]]


@dataclass(frozen=True)
class _Listing:
    resource: Resource
    objects: tuple[Object, ...] | None
    whole: tuple[dict[str, Any], ...] = ()
    denied: Denied | None = None
    unreadable: tuple[Unreadable, ...] = ()
    is_served: bool = True


def collect(
    cluster: Cluster, *, namespace: str | None = None, progress: Progress | None = None
) -> ClusterSnapshot:
    """What the checks read, from one namespace (``None``: all) and the cluster's own kinds.

    A kind that may not be read is missing from the snapshot, and named in
    ``info.collection.denied``; of a kind that the server does not serve there are none. Raises
    ``ClusterUnreachable`` or ``Unauthorized`` where nothing can be had at all.
    """
    return _collect(cluster, namespace, progress, keep_whole=False).snapshot


def collect_whole(
    cluster: Cluster, *, namespace: str | None = None, progress: Progress | None = None
) -> Collected:
    """The same, keeping the whole objects for ``save``: a later version may read more of them."""
    return _collect(cluster, namespace, progress, keep_whole=True)


def _collect(
    cluster: Cluster, namespace: str | None, progress: Progress | None, *, keep_whole: bool
) -> Collected:
    started, say = time.monotonic(), progress or (lambda _: None)
    version = cluster.version()
    kinds = [resource for resource in resources.ALL if resource.kind in TYPES]
    # msgspec works out a type when it first meets it, which is not safe in several threads at
    # once (0.22: a crash): all types are met here, before there are any.
    for type_ in TYPES.values():
        msgspec.convert({}, type_)
    with ThreadPoolExecutor(WORKERS) as pool:

        def fetch(resource: Resource) -> _Listing:
            listing = _list(cluster, resource, namespace, keep_whole=keep_whole)
            say(f"listed {resource.plural}")
            return listing

        listings = list(pool.map(fetch, kinds))
        objects = {one.resource.kind: one.objects for one in listings if one.objects is not None}
        without_logs = ClusterSnapshot(SnapshotInfo(), "live", objects)
        say("reading logs of failing pods")
        targets = log_targets(without_logs)
        texts = list(pool.map(lambda target: _read_log(cluster, target), targets))
        told = ask_exporters(cluster, without_logs, pool)
    logs = {key: text for key, text in zip(targets, texts, strict=True) if isinstance(text, str)}
    denied = [one.denied for one in listings if one.denied]
    denied += sorted(
        {text for text in texts if isinstance(text, Denied)}, key=lambda d: d.namespace
    )
    denied += told.denied
    info = SnapshotInfo(
        context=cluster.context,
        namespace=namespace or "",
        server_version=str(version.get("gitVersion", "")),
        taken_at=datetime.now(timezone.utc),
        collection=Collection(
            requests=cluster.stats.requests,
            bytes=cluster.stats.bytes,
            seconds=round(time.monotonic() - started, 3),
            denied=tuple(denied),
            missing=tuple(kind for kind in TYPES if kind not in objects),
            unreadable=(
                *(item for one in listings for item in one.unreadable),
                *told.unreadable,
            ),
            unserved=tuple(one.resource.kind for one in listings if not one.is_served),
        ),
    )
    whole = {one.resource.kind: one.whole for one in listings if one.objects is not None}
    return Collected(ClusterSnapshot(info, "live", objects, logs, told.metrics), whole)


def _list(
    cluster: Cluster, resource: Resource, namespace: str | None, *, keep_whole: bool
) -> _Listing:
    type_ = TYPES[resource.kind]
    scope = namespace if resource.namespaced else None
    try:
        if not keep_whole:
            result = cluster.list(resource, type_, scope)
            return _Listing(
                resource,
                in_order(with_kind(resource, item) for item in result.items),
                unreadable=tuple(
                    Unreadable(f"{resource.kind} {name}", reason)
                    for name, reason in result.undecodable
                ),
            )
        raw = cluster.list(resource, dict, scope).items
    except Forbidden:
        # Rights are looked at before the path: it may be refused and not exist at all.
        if cluster.serves(resource):
            return _Listing(
                resource, None, denied=Denied("list", _rbac_name(resource), scope or "")
            )
        return _in_older_version(cluster, resource, namespace, keep_whole=keep_whole)
    except NotFound:
        return _in_older_version(cluster, resource, namespace, keep_whole=keep_whole)
    except ApiError as error:
        # A metrics server that is down must not hide the whole cluster: the API server answers
        # for it with 503.
        if resource is not resources.POD_METRICS or error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return _Listing(resource, None)
    objects, unreadable = _typed(resource, raw)
    stamped = tuple(
        {"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in raw
    )
    return _Listing(resource, in_order(objects), stamped, None, tuple(unreadable))


def _in_older_version(
    cluster: Cluster, resource: Resource, namespace: str | None, *, keep_whole: bool
) -> _Listing:
    """What the server does not serve in any version, it has none of: absent, not missing."""
    if resource.previous is None:
        return _Listing(resource, (), is_served=False)
    return _list(cluster, resource.previous, namespace, keep_whole=keep_whole)


def _typed(
    resource: Resource, raw: tuple[dict[str, Any], ...]
) -> tuple[list[Object], list[Unreadable]]:
    objects, unreadable = [], []
    for item in raw:
        object_, reasons = lenient.read(item, TYPES[resource.kind])
        objects += [with_kind(resource, object_)] if object_ else []
        unreadable += [Unreadable(named(resource.kind, item), reason) for reason in reasons]
    return objects, unreadable


def named(kind: str, document: dict[str, Any]) -> str:
    """``Pod shop/web-1`` of an object whatever its fields hold."""
    metadata = document.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    return str(Subject(kind, str(found.get("namespace") or ""), str(found.get("name") or "?")))


def in_order(objects: Any) -> tuple[Object, ...]:
    """By namespace and name: a report must not depend on the order of an answer or of files."""
    return tuple(sorted(objects, key=lambda one: (one.namespace, one.name)))


def with_kind(resource: Resource, item: Object) -> Object:
    """Items of a List do not carry their kind; the checks want it."""
    if item.kind:
        return item
    return msgspec.structs.replace(item, api_version=resource.api_version, kind=resource.kind)


def _read_log(cluster: Cluster, key: LogKey) -> str | Denied | None:
    """``None`` where there is no log (yet, or no longer): that is an ordinary answer."""
    try:
        return cluster.logs(
            key.namespace,
            key.pod,
            key.container,
            previous=key.previous,
            tail_lines=LOG_LINES,
            limit_bytes=LOG_BYTES,
        )
    except Forbidden:
        return Denied("get", "pods/log", key.namespace)
    except ApiError:
        return None


def _rbac_name(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural
