from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import Answer, Asked, ScriptedApi

from kubectl_wasmai.cluster import watching
from kubectl_wasmai.errors import ClusterUnreachable, Forbidden
from kubectl_wasmai.resources import POD

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster, WatchEvent


def pod(name: str, version: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n", "uid": name, "resourceVersion": str(version)}
    return {"kind": "Pod", "metadata": metadata}


def line(kind: str, thing: Any) -> bytes:
    return json.dumps({"type": kind, "object": thing}).encode() + b"\n"


def listed(version: int, *pods: Any) -> Answer:
    return Answer({"metadata": {"resourceVersion": str(version)}, "items": list(pods)})


def stream(*chunks: bytes) -> Answer:
    return Answer(chunks=list(chunks))


GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


def short(event: WatchEvent) -> str:
    return f"{event.type} {event.object['metadata']['name']}"


def take(cluster: Cluster, count: int, **more: Any) -> list[str]:
    events = cluster.watch(POD, "n", timeout=5, **more)
    return [short(next(events)) for _ in range(count)]


def versions(api: ScriptedApi) -> list[str | None]:
    return [asked.query.get("resourceVersion") for asked in api.asked if "watch" in asked.query]


def test_it_begins_with_what_is_there_and_goes_on_with_changes(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(listed(10, pod("a", 3)), stream(line("MODIFIED", pod("a", 11))))
    assert take(cluster, 2, name="a") == ["ADDED a", "MODIFIED a"]
    assert {asked.query["fieldSelector"] for asked in api.asked} == {"metadata.name=a"}
    assert api.asked[1].query["allowWatchBookmarks"] == "true"
    assert versions(api) == ["10"]


def test_a_closed_watch_goes_on_from_the_last_version(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(
        stream(line("ADDED", pod("a", 11)), line("BOOKMARK", pod("", 15))),
        stream(line("DELETED", pod("a", 16))),
    )
    assert take(cluster, 2, resource_version="10") == ["ADDED a", "DELETED a"]
    assert versions(api) == ["10", "15"]


def test_an_event_may_come_in_pieces_and_a_torn_one_comes_again(
    api: ScriptedApi, cluster: Cluster
) -> None:
    whole = line("ADDED", pod("a", 11)) + line("ADDED", pod("b", 12))
    api.answers(stream(whole[:20], whole[20:-5]), stream(line("ADDED", pod("b", 12))))
    assert take(cluster, 2, resource_version="10") == ["ADDED a", "ADDED b"]
    assert versions(api) == ["10", "11"]


@pytest.mark.parametrize("expired", [Answer(GONE, 410), stream(line("ERROR", GONE))])
def test_an_expired_version_is_bridged_by_the_differences(
    api: ScriptedApi, cluster: Cluster, expired: Answer
) -> None:
    api.answers(
        listed(10, pod("kept", 1), pod("changed", 2), pod("lost", 3)),
        expired,
        listed(20, pod("kept", 1), pod("changed", 15), pod("new", 16)),
        stream(line("DELETED", pod("new", 21))),
    )
    assert take(cluster, 7) == [
        "ADDED kept",
        "ADDED changed",
        "ADDED lost",
        "DELETED lost",
        "MODIFIED changed",
        "ADDED new",
        "DELETED new",
    ]
    assert versions(api) == ["10", "20"]


def test_an_object_made_anew_under_its_old_name_is_deleted_and_added(
    api: ScriptedApi, cluster: Cluster
) -> None:
    reborn = pod("a", 15)
    reborn["metadata"]["uid"] = "other"
    api.answers(listed(10, pod("a", 1)), Answer(GONE, 410), listed(20, reborn))
    assert take(cluster, 3) == ["ADDED a", "DELETED a", "ADDED a"]


def test_a_busy_server_is_asked_again(api: ScriptedApi, cluster: Cluster) -> None:
    busy = Answer({"kind": "Status", "code": 503, "message": "restarting"}, 503)
    api.answers(busy, stream(line("ADDED", pod("a", 11))))
    assert take(cluster, 1, resource_version="10") == ["ADDED a"]


def test_a_server_that_stays_away_is_given_up(
    api: ScriptedApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(watching, "_PAUSE_SECONDS", 0.05)
    api.answers(Answer({"kind": "Status", "code": 503, "message": "restarting"}, 503))
    with pytest.raises(ClusterUnreachable, match="restarting"):
        take(cluster, 1, resource_version="10")


def test_a_server_that_was_never_there_is_given_up_at_once(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(Answer(b"<html>", headers={"Content-Type": "text/html"}))
    with pytest.raises(ClusterUnreachable, match="no list"):
        take(cluster, 1)
    assert len(api.asked) == 1


def test_listed_objects_say_what_they_are_as_watched_ones_do(
    api: ScriptedApi, cluster: Cluster
) -> None:
    bare = {"metadata": pod("a", 1)["metadata"]}
    api.answers(listed(10, bare), stream())
    found = next(cluster.watch(POD, "n", timeout=5)).object
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")


def test_an_error_nobody_can_read_is_no_crash(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(stream(line("ERROR", [])), stream(line("ADDED", pod("a", 11))))
    assert take(cluster, 1, resource_version="10") == ["ADDED a"]


def test_a_server_that_closes_at_once_is_not_hammered(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(stream())
    assert list(cluster.watch(POD, "n", resource_version="10", timeout=0.6)) == []
    assert len(api.asked) <= 4


def test_a_forbidden_watch_is_an_error(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer({"kind": "Status", "code": 403, "message": "no"}, 403))
    with pytest.raises(Forbidden):
        take(cluster, 1)


def test_it_ends_when_the_time_is_over(api: ScriptedApi, cluster: Cluster) -> None:
    def script(asked: Asked) -> Answer:
        return stream() if "watch" in asked.query else listed(10)

    api.script = script
    assert list(cluster.watch(POD, "n", timeout=0.3)) == []
