"""Builds Kubernetes objects for tests: what a test does not mention, it does not care about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kubectl_wasmai.jsonlist import Text
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot import ClusterSnapshot, LogKey, MetricsKey
from kubectl_wasmai.snapshot.model import Collection, Denied, SnapshotInfo
from kubectl_wasmai.snapshot.objects import TYPES
from kubectl_wasmai.snapshot.whole import WholeObjects

NOW = "2026-01-01T12:00:00Z"
LONG_AGO = "2026-01-01T10:00:00Z"

Json = dict[str, Any]


def meta(name: str, *, namespace: str = "default", owner: Json | None = None, **more: Any) -> Json:
    owners = (
        [{"kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}]
        if owner
        else []
    )
    stamp = {"creationTimestamp": LONG_AGO, "ownerReferences": owners}
    return {"name": name, "namespace": namespace, **stamp, **more}


def container(name: str = "main", *, limits: bool = True, **more: Any) -> Json:
    amounts = {"cpu": "1", "memory": "64Mi"}
    resources = {"requests": amounts, "limits": amounts} if limits else {}
    probe = {"httpGet": {"path": "/health", "port": 8080}}
    image = "example.test/model:1"
    return {"name": name, "image": image, "resources": resources, "readinessProbe": probe, **more}


def pod_spec(*containers: Json, runtime_class: str | None = "wasm", **more: Any) -> Json:
    class_ = {"runtimeClassName": runtime_class} if runtime_class else {}
    return {"containers": list(containers) or [container()], **class_, **more}


def deployment(
    name: str = "web",
    *,
    spec: Json | None = None,
    replicas: int = 1,
    annotations: Json | None = None,
    own_annotations: Json | None = None,
    current: int | None = None,
) -> Json:
    if annotations is None:
        annotations = {"module.wasm.image/variant": "compat-smart"}
    template = {"metadata": {"annotations": annotations}, "spec": spec or pod_spec()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name, annotations=own_annotations or {}),
        "spec": {"replicas": replicas, "template": template},
        "status": {"replicas": replicas if current is None else current},
    }


def replica_set(owner: Json, *, current: int | None = None) -> Json:
    wanted = owner["spec"]["replicas"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(owner["metadata"]["name"] + "-5d9", owner=owner),
        "spec": owner["spec"],
        "status": {"replicas": wanted if current is None else current},
    }


def pod(
    name: str = "web-5d9-x",
    *,
    owner: Json | None = None,
    node: str = "node1",
    ready: bool = True,
    statuses: list[Json] | None = None,
    created: str = LONG_AGO,
    **status: Any,
) -> Json:
    template = owner["spec"]["template"] if owner else {"metadata": {}, "spec": pod_spec()}
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": LONG_AGO}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta(name, owner=owner),
            "creationTimestamp": created,
            "annotations": template["metadata"].get("annotations", {}),
        },
        "spec": {**template["spec"], "nodeName": node},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [condition],
            "containerStatuses": statuses
            if statuses is not None
            else [{"name": "main", "ready": ready, "state": {"running": {}}}],
            **status,
        },
    }


def waiting(reason: str, message: str = "", *, restarts: int = 0) -> list[Json]:
    state = {"waiting": {"reason": reason, "message": message}}
    return [{"name": "main", "ready": False, "restartCount": restarts, "state": state}]


def event(
    about: Json, reason: str, message: str, *, time: str = NOW, kind: str = "Warning"
) -> Json:
    name = about["metadata"]["name"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(f"{name}.{abs(hash(message)) % 10**6}"),
        "involvedObject": {"kind": about["kind"], "namespace": "default", "name": name},
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": time,
    }


def runtime_class(name: str = "wasm", handler: str = "crun", **more: Any) -> Json:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": name},
        "handler": handler,
        **more,
    }


def node(name: str = "node1", *handlers: str, labels: Json | None = None) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "status": {"runtimeHandlers": [{"name": each} for each in handlers]},
    }


def snapshot(
    *objects: Json,
    logs: dict[tuple[str, str], str] | None = None,
    metrics: dict[str, str] | None = None,
    version: str = "",
    without: tuple[str, ...] = (),
    denied: tuple[Denied, ...] = (),
) -> ClusterSnapshot:
    """All kinds are collected but those of ``without``; logs by pod and container name, metrics
    by the exporter's pod."""
    kinds: dict[str, list[Any]] = {kind: [] for kind in TYPES if kind not in without}
    for each in objects:
        kinds[each["kind"]].append(msgspec.convert(each, TYPES[each["kind"]]))
    taken = msgspec.convert(NOW, datetime)
    info = SnapshotInfo(
        context="test",
        server_version=version,
        taken_at=taken,
        collection=Collection(denied=denied),
    )
    keys = {LogKey("default", pod_, name): text for (pod_, name), text in (logs or {}).items()}
    told = {MetricsKey("default", pod_): text for pod_, text in (metrics or {}).items()}
    return ClusterSnapshot(info, "file", {k: tuple(v) for k, v in kinds.items()}, keys, told)


def whole_objects(kind: str, items: list[dict[str, Any]]) -> WholeObjects:
    """What a live collection keeps of a kind for saving."""
    return WholeObjects(BY_KIND[kind], (Text.of(msgspec.json.encode(items), len(items)),))
