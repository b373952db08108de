"""The forms in which a recording is sent: nothing is invented, only joined or left out."""

from __future__ import annotations

import json
from typing import Any

from wasmlab.client import Lab
from wasmlab.faults.forms import FORMS

LOG = b"2026-11-25T03:26:50.087021337Z [error] first\n2026-11-25T03:26:50.087042959Z second\n"


def listed(*items: dict[str, Any]) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}).encode()


def pod(namespace: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "web", "namespace": namespace}}


MEMBERS = {
    "version.json": b"{}",
    "nodes.json": listed({"kind": "Node", "metadata": {"name": "node1"}}),
    "pods.json": listed(pod("f-x"), pod("kube-system")),
    "events.json": listed({"kind": "Event", "metadata": {"name": "e", "namespace": "f-x"}}),
    "logs/f-x/web/server.log": LOG,
    "logs/kube-system/web/server.log": LOG,
}


def sent(form: str) -> dict[str, bytes]:
    return FORMS[form](Lab(), dict(MEMBERS), "f-x")


def test_one_list_holds_every_object_and_the_logs_stay_beside_it() -> None:
    out = sent("one-list")

    kinds = [item["kind"] for item in json.loads(out["all.json"])["items"]]
    assert sorted(kinds) == ["Event", "Node", "Pod", "Pod"]
    assert set(out) == {"all.json", *(name for name in MEMBERS if name.startswith("logs/"))}


def test_plain_logs_lose_the_stamps_of_kubectl_alone() -> None:
    assert sent("plain-logs")["logs/f-x/web/server.log"] == b"[error] first\nsecond\n"


def test_one_namespace_shows_no_node_and_nobody_else() -> None:
    out = sent("namespace")

    assert "nodes.json" not in out
    assert json.loads(out["pods.json"])["items"] == [pod("f-x")]
    assert [name for name in out if name.startswith("logs/")] == ["logs/f-x/web/server.log"]


def test_forgotten_events_leave_an_empty_list() -> None:
    document = json.loads(sent("no-events")["events.json"])

    assert (document["kind"], document["items"]) == ("EventList", [])


def test_without_logs_the_objects_are_all_there() -> None:
    assert set(sent("no-logs")) == {name for name in MEMBERS if not name.startswith("logs/")}
