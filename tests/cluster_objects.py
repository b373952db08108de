"""Manifests and types the tests of the cluster share."""

from __future__ import annotations

from typing import Any

import msgspec

from kubectl_wasmai.resources import Resource

CONFIG_MAP = Resource("ConfigMap", "configmaps")


class Meta(msgspec.Struct):
    name: str


class Named(msgspec.Struct):
    metadata: Meta


def config_map(name: str, **data: str) -> dict[str, Any]:
    labels = {"made-by": "test"}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(name: str, replicas: int = 1) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod},
    }
