"""Pods that nobody measures while others are measured: figures of the metrics API.

The lab has no metrics-server; its API is offered here by a custom resource of the same name, which
kubectl and the autoscaler read like any other server of it.
"""

from __future__ import annotations

from .model import Expected, Fault, Object
from .objects import BUSYBOX, deployment, pod_spec
from .on_node import applied, once, waited
from .service import AUTOSCALER

GROUP = "metrics.k8s.io"
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
API: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"pods.{GROUP}",
        "annotations": {"api-approved.kubernetes.io": "unapproved, experimental-only"},
    },
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": "PodMetrics",
            "listKind": "PodMetricsList",
            "plural": "pods",
            "singular": "pod",
        },
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": _OPEN},
            }
        ],
    },
}
SHOP: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "shop"},
    "spec": pod_spec(
        {"name": "shop", "image": BUSYBOX, "command": ["/bin/busybox", "sleep", "1000000"]},
        runtime_class=None,
    ),
}


def measured(name: str, container: str) -> Object:
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": name},
        "timestamp": "2025-11-25T09:12:07Z",
        "window": "15s",
        "containers": [{"name": container, "usage": {"cpu": "1234n", "memory": "3Mi"}}],
    }


FAULTS = (
    Fault(
        "pod-metrics-missing",
        (Expected("pod-metrics-missing"),),
        (API, SHOP, deployment(), AUTOSCALER),
        r"did not receive metrics|no metrics returned",
        then=(
            once("condition=Established", f"crd/pods.{GROUP}"),
            waited(),
            applied(measured("shop", "shop")),
        ),
        exclusive=True,
        kinds=(f"pods.{GROUP}",),
        moments=("late",),
    ),
)
