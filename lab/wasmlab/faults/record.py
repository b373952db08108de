"""Records what a namespace and the cluster look like, with kubectl alone.

The layout is the product's snapshot format (docs/snapshot-format.md): one List per kind, the
containers' logs, ``version.json``. Nothing of the product is used, so that a
recording also proves that it reads what any person can produce.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wasmlab.client import Lab

CLUSTER_KINDS = {
    "Node": "nodes",
    "Namespace": "namespaces",
    "RuntimeClass": "runtimeclasses.node.k8s.io",
    "StorageClass": "storageclasses.storage.k8s.io",
    "PersistentVolume": "persistentvolumes",
    "APIService": "apiservices.apiregistration.k8s.io",
    "DeviceClass": "deviceclasses.resource.k8s.io",
    "ResourceSlice": "resourceslices.resource.k8s.io",
}
NAMESPACED_KINDS = {
    "Pod": "pods",
    "Event": "events",
    "Service": "services",
    "EndpointSlice": "endpointslices.discovery.k8s.io",
    "ConfigMap": "configmaps",
    "ServiceAccount": "serviceaccounts",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "ResourceQuota": "resourcequotas",
    "LimitRange": "limitranges",
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "ResourceClaim": "resourceclaims.resource.k8s.io",
    "ResourceClaimTemplate": "resourceclaimtemplates.resource.k8s.io",
}
LOG_LINES = 300


def files(lab: Lab, namespaces: Iterable[str], kinds: Iterable[str] = ()) -> dict[str, bytes]:
    """Relative path to content of everything that is recorded; ``kinds`` are further ones, by
    their full plural names."""
    out = {"version.json": lab.kubectl("version", "-o", "json").stdout.encode()}
    items = _items(lab, CLUSTER_KINDS)
    for plural in kinds:
        further = lab.kubectl("get", plural, "-A", "-o", "json").stdout
        out[f"{plural.partition('.')[0]}.json"] = further.encode()
    for namespace in dict.fromkeys(namespaces):
        items += _items(lab, NAMESPACED_KINDS, "-n", namespace)
    for kind, plural in {**CLUSTER_KINDS, **NAMESPACED_KINDS}.items():
        # As `kubectl get KIND -o json` writes it, but that an empty List still says of what.
        listed = [item for item in items if item["kind"] == kind]
        document = {"apiVersion": "v1", "kind": "List" if listed else f"{kind}List"}
        out[f"{plural.partition('.')[0]}.json"] = _json({**document, "items": listed})
    for item in items:
        if item["kind"] == "Pod":
            out.update(_logs(lab, item))
    return out


def write(path: Path, members: dict[str, bytes]) -> None:
    """A .tar.gz whose bytes depend on the members alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, 0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))


def _items(lab: Lab, kinds: dict[str, str], *scope: str) -> list[dict[str, Any]]:
    """All objects of some kinds with one call, without what only repeats them."""
    words = ("get", ",".join(kinds.values()), *scope, "-o", "json")
    items: list[dict[str, Any]] = json.loads(lab.kubectl(*words).stdout)["items"]
    for item in items:
        item["metadata"].pop("managedFields", None)
    return items


def _logs(lab: Lab, pod: dict[str, Any]) -> dict[str, bytes]:
    out: dict[str, bytes] = {}
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    status = pod.get("status", {})
    for each in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
        for previous in ((), ("--previous",)):
            if not _has_run(each) or (previous and not each.get("restartCount")):
                continue
            options = ("-n", namespace, "-c", each["name"], "--timestamps", f"--tail={LOG_LINES}")
            done = lab.kubectl("logs", name, *options, *previous, check=False)
            if done.returncode == 0:
                suffix = ".previous.log" if previous else ".log"
                out[f"logs/{namespace}/{name}/{each['name']}{suffix}"] = done.stdout.encode()
    return out


def _has_run(status: dict[str, Any]) -> bool:
    return any(status.get("state", {}).get(each) for each in ("running", "terminated")) or bool(
        status.get("restartCount")
    )


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()
