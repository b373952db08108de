"""The forms in which people send what they saw: a recording in the usual one becomes another.

What kubectl would have written is kept as it is; nothing is invented, only joined or left out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wasmlab.client import Lab

Members = dict[str, bytes]
_STAMP = re.compile(rb"^\d{4}-\d\d-\d\dT\S+Z ?", re.MULTILINE)
CLUSTER_FILES = (
    *("nodes", "namespaces", "runtimeclasses", "storageclasses", "persistentvolumes"),
    *("apiservices", "deviceclasses", "resourceslices"),
)


def one_list(_: Lab, members: Members, __: str) -> Members:
    """``kubectl get KIND,KIND… -A -o json > all.json``: one List, where an empty kind leaves no
    trace; besides it the logs."""
    items = [item for _, text in _documents(members) for item in json.loads(text)["items"]]
    document = {"apiVersion": "v1", "kind": "List", "items": items}
    logs = _keep(members, lambda name: name.startswith("logs/"))
    return {"all.json": json.dumps(document, indent=1).encode(), **logs}


def as_yaml(lab: Lab, members: Members, _: str) -> Members:
    """``-o yaml``, as kubectl itself writes it; logs as before, no version."""
    out = {name: content for name, content in members.items() if name.startswith("logs/")}
    for name, content in _documents(members):
        items = json.loads(content)["items"]
        if items:
            text = content.decode()
            words = ("create", "--dry-run=client", "--validate=false", "-o", "yaml", "-f", "-")
            done = lab.kubectl(*words, stdin=text).stdout
            out[name.replace(".json", ".yaml")] = done.encode()
        else:
            out[name] = content
    return out


def without_logs(_: Lab, members: Members, __: str) -> Members:
    """Somebody only ran ``kubectl get``."""
    return _keep(members, lambda name: not name.startswith("logs/"))


def plain_logs(_: Lab, members: Members, __: str) -> Members:
    """``kubectl logs`` without ``--timestamps``; no version."""
    return {
        name: _STAMP.sub(b"", content) if name.startswith("logs/") else content
        for name, content in members.items()
        if name != "version.json"
    }


def namespace_only(_: Lab, members: Members, namespace: str) -> Members:
    """Of somebody who may look into one namespace alone."""
    left_out = {f"{name}.json" for name in CLUSTER_FILES}
    kept = _keep(members, lambda name: name not in left_out and _is_of(name, namespace))
    return {name: _only(content, namespace) for name, content in kept.items()}


def without_events(_: Lab, members: Members, __: str) -> Members:
    """Some hours later: the API server has forgotten its events."""
    empty = json.dumps({"apiVersion": "v1", "kind": "EventList", "items": []}, indent=1)
    return {**members, "events.json": f"{empty}\n".encode()}


FORMS: dict[str, Callable[[Lab, Members, str], Members]] = {
    "one-list": one_list,
    "yaml": as_yaml,
    "no-logs": without_logs,
    "plain-logs": plain_logs,
    "namespace": namespace_only,
    "no-events": without_events,
}


def _documents(members: Members) -> Iterable[tuple[str, bytes]]:
    for name, content in members.items():
        if name.endswith(".json") and name not in ("version.json", "snapshot.json"):
            yield name, content


def _keep(members: Members, wanted: Callable[[str], bool]) -> Members:
    return {name: content for name, content in members.items() if wanted(name)}


def _is_of(name: str, namespace: str) -> bool:
    return not name.startswith("logs/") or name.startswith(f"logs/{namespace}/")


def _only(content: bytes, namespace: str) -> bytes:
    """A List without the objects of other namespaces; anything else as it is."""
    try:
        document = json.loads(content)
    except ValueError:
        return content
    if "items" not in document:
        return content
    items = [i for i in document["items"] if i["metadata"].get("namespace") == namespace]
    return (json.dumps({**document, "items": items}, indent=1) + "\n").encode()
