"""Watches, and what happens when the past expires."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from cluster_objects import CONFIG_MAP, Named, config_map

from kubectl_wasmai.cluster import watching
from kubectl_wasmai.errors import Gone
from kubectl_wasmai.resources import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster, WatchEvent

pytestmark = pytest.mark.integration


def first(events: Iterator[WatchEvent], count: int) -> list[str]:
    taken = itertools.islice(events, count)
    return [f"{event.type} {event.object['metadata']['name']}" for event in taken]


def test_a_watch_tells_what_is_there_and_what_changes(cluster: Cluster) -> None:
    cluster.apply(config_map("a"))
    events = cluster.watch(CONFIG_MAP, cluster.namespace, timeout=10)
    assert first(events, 1) == ["ADDED a"]
    cluster.apply(config_map("a", k="1"))
    cluster.apply(config_map("b"))
    cluster.delete(CONFIG_MAP, "a")
    assert first(events, 3) == ["MODIFIED a", "ADDED b", "DELETED a"]


def test_a_watch_of_one_name_tells_of_no_other(cluster: Cluster) -> None:
    cluster.apply(config_map("mine"))
    cluster.apply(config_map("other"))
    events = cluster.watch(CONFIG_MAP, cluster.namespace, name="mine", timeout=10)
    assert first(events, 1) == ["ADDED mine"]
    cluster.apply(config_map("other", k="1"))
    cluster.delete(CONFIG_MAP, "mine")
    assert first(events, 1) == ["DELETED mine"]


def test_a_watch_ends_when_its_time_is_over(cluster: Cluster) -> None:
    began = time.monotonic()
    assert list(cluster.watch(CONFIG_MAP, cluster.namespace, name="none", timeout=1.2)) == []
    assert 1.1 < time.monotonic() - began < 3


def test_a_watch_survives_the_servers_closing_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_ONE_WATCH_SECONDS", 1.0)
    cluster.apply(config_map("a"))
    events = cluster.watch(CONFIG_MAP, cluster.namespace, timeout=20)
    assert first(events, 1) == ["ADDED a"]
    before = cluster.stats.requests
    timer = threading.Timer(2.5, cluster.apply, [config_map("late")])
    timer.start()
    assert first(events, 1) == ["ADDED late"]
    timer.join()
    assert cluster.stats.requests - before >= 4  # two watches ended before, and one apply is two


def forget_the_past(control_plane: ControlPlane) -> None:
    """Compact etcd, as the API server does every five minutes."""

    def ask(path: str, **body: Any) -> Any:
        url = f"http://127.0.0.1:{control_plane.ports.etcd_client}{path}"
        data = json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - etcd's own URL
            return json.load(answer)

    now = ask("/v3/kv/range", key="AA==", count_only=True)["header"]["revision"]
    ask("/v3/kv/compaction", revision=now, physical=True)


def add_events(cluster: Cluster, *names: str) -> str:
    """Kubernetes Events, the kind whose reads no cache of the API server answers."""
    version = ""
    for name in names:
        metadata = {"name": name, "namespace": cluster.namespace}
        event = {"apiVersion": "v1", "kind": "Event", "metadata": metadata}
        event["involvedObject"] = {"kind": "Pod", "name": "web", "namespace": cluster.namespace}
        made = cluster.request("POST", EVENT.path(cluster.namespace), body=event).json()
        version = made["metadata"]["resourceVersion"]
    return version


def test_a_list_whose_pages_expire_is_still_whole(
    cluster: Cluster, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_events(cluster, "a", "b", "c", "d", "e")
    transport = cluster._transport
    real, asked = transport.stream, []

    def expiring(*args: Any, **more: Any) -> Any:
        answer = list(real(*args, **more))
        asked.append(answer)
        if len(asked) == 1:
            add_events(cluster, "f")
            forget_the_past(control_plane)
        return answer

    monkeypatch.setattr(transport, "stream", expiring)
    found = cluster.list(EVENT, Named, cluster.namespace, limit=2)
    assert [item.metadata.name for item in found.items] == ["a", "b", "c", "d", "e", "f"]


def test_an_expired_version_is_gone(cluster: Cluster, control_plane: ControlPlane) -> None:
    old = add_events(cluster, "a")
    add_events(cluster, "b")
    forget_the_past(control_plane)
    exact = [("resourceVersion", old), ("resourceVersionMatch", "Exact")]
    with pytest.raises(Gone):
        cluster.request("GET", EVENT.path(cluster.namespace), query=exact)


def test_a_watch_from_an_expired_version_tells_what_is_there(
    cluster: Cluster, control_plane: ControlPlane
) -> None:
    old = add_events(cluster, "a")
    add_events(cluster, "b", "c")
    forget_the_past(control_plane)
    events = cluster.watch(EVENT, cluster.namespace, resource_version=old, timeout=10)
    assert first(events, 3) == ["ADDED a", "ADDED b", "ADDED c"]
    add_events(cluster, "d")
    assert first(events, 1) == ["ADDED d"]
