"""Collects a snapshot from a live cluster: a fixed number of lists, then a few bounded logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from kubectl_wasmai.snapshot.exporters import ask_exporters
from kubectl_wasmai.snapshot.listings import list_kinds
from kubectl_wasmai.snapshot.logs import Wanted, read_logs
from kubectl_wasmai.snapshot.model import (
    ClusterSnapshot,
    Collection,
    SnapshotInfo,
)
from kubectl_wasmai.snapshot.objects import TYPES
from kubectl_wasmai.snapshot.whole import WholeObjects

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster

Progress = Callable[[str], None]

WORKERS = 6


@dataclass(frozen=True)
class Collected:
    """A snapshot, and by kind the texts it was read from where they were kept for saving."""

    snapshot: ClusterSnapshot
    whole: Mapping[str, WholeObjects]


def collect(
    cluster: Cluster,
    *,
    namespace: str | None = None,
    progress: Progress | None = None,
    wanted: Wanted | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> ClusterSnapshot:
    """What the checks read, from one namespace (``None``: all) and the cluster's own kinds.

    A kind that may not be read is missing from the snapshot, and named in
    ``info.collection.denied``; of a kind that the server does not serve there are none. Raises
    ``ClusterUnreachable`` or ``Unauthorized`` where nothing can be had at all.
    """
    return _collect(cluster, namespace, progress, wanted, meanwhile, keep_whole=False).snapshot


def collect_whole(
    cluster: Cluster,
    *,
    namespace: str | None = None,
    progress: Progress | None = None,
    wanted: Wanted | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Collected:
    """The same, keeping the whole objects for ``save``: a later version may read more of them."""
    return _collect(cluster, namespace, progress, wanted, meanwhile, keep_whole=True)


def _collect(
    cluster: Cluster,
    namespace: str | None,
    progress: Progress | None,
    wanted: Wanted | None,
    meanwhile: Callable[[], None] | None,
    *,
    keep_whole: bool,
) -> Collected:
    started, say = time.monotonic(), progress or (lambda _: None)
    version = cluster.version()
    with ThreadPoolExecutor(WORKERS) as pool:
        listings = list_kinds(
            cluster,
            namespace,
            pool,
            lambda resource: say(f"listed {resource.plural}"),
            meanwhile or (lambda: None),
            keep_texts=keep_whole,
        )
        objects = {one.resource.kind: one.objects for one in listings if one.objects is not None}
        seen = ClusterSnapshot(SnapshotInfo(), "live", objects)
        say("reading logs of failing pods")
        logs = read_logs(cluster, seen, pool, wanted)
        told = ask_exporters(cluster, seen, pool)
    denied = (*(one.denied for one in listings if one.denied), *logs.denied, *told.denied)
    info = SnapshotInfo(
        context=cluster.context,
        namespace=namespace or "",
        server_version=str(version.get("gitVersion", "")),
        taken_at=datetime.now(timezone.utc),
        collection=Collection(
            requests=cluster.stats.requests,
            bytes=cluster.stats.bytes,
            seconds=round(time.monotonic() - started, 3),
            denied=denied,
            missing=tuple(kind for kind in TYPES if kind not in objects),
            unreadable=(
                *(item for one in listings for item in one.unreadable),
                *told.unreadable,
            ),
            unserved=tuple(one.resource.kind for one in listings if not one.is_served),
            logs_not_read=logs.unread,
        ),
    )
    whole = {
        one.resource.kind: WholeObjects(one.resource, one.texts)
        for one in listings
        if one.objects is not None
    }
    return Collected(seen.completed(info, logs.texts, told.metrics), whole)
