"""What deploy made, as ``list`` shows it: one line per Deployment that carries our label."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.manifests import MANAGED_SELECTOR
from kubectl_wasmai.deploy.text import age
from kubectl_wasmai.errors import Forbidden
from kubectl_wasmai.resources import DEPLOYMENT, POD, SERVICE, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.cluster import Cluster

HEADERS = ("NAME", "CLASS", "READY", "IMAGE", "AGE")
WIDE_HEADERS = ("SERVICE", "NODES")


@dataclass(frozen=True)
class Inventory:
    """Deployments, with the Services and the nodes' names that belong to each (wide only)."""

    deployments: Sequence[dict[str, Any]]
    services: Mapping[tuple[str, str], str]
    nodes: Mapping[tuple[str, str], str]


def take(
    cluster: Cluster, namespace: str | None, label_selector: str = "", *, wide: bool = False
) -> Inventory:
    """List them. ``namespace=None``: in all namespaces. One request; three for ``wide``."""
    labels = f"{MANAGED_SELECTOR},{label_selector}" if label_selector else MANAGED_SELECTOR
    deployments = _listed(cluster, DEPLOYMENT, namespace, labels)
    if not wide:
        return Inventory(deployments, {}, {})
    services = _readable(cluster, SERVICE, namespace)
    pods = _readable(cluster, POD, namespace)
    nodes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in pods:
        if node := (pod.get("spec") or {}).get("nodeName"):
            nodes[_workload(pod)].add(str(node))
    return Inventory(
        deployments,
        {_key(service): address(service) for service in services},
        {key: ",".join(sorted(names)) for key, names in nodes.items()},
    )


def headers(*, wide: bool, all_namespaces: bool) -> list[str]:
    before = ("NAMESPACE",) if all_namespaces else ()
    return [*before, *HEADERS, *(WIDE_HEADERS if wide else ())]


def row(
    inventory: Inventory, deployment: Mapping[str, Any], *, wide: bool, all_namespaces: bool
) -> list[str]:
    """The cells of one Deployment."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    pod_spec = spec["template"]["spec"]
    ready = (deployment.get("status") or {}).get("readyReplicas") or 0
    cells = [
        metadata["name"],
        pod_spec.get("runtimeClassName") or "",
        f"{ready}/{spec.get('replicas', 1)}",
        pod_spec["containers"][0]["image"],
        age(metadata.get("creationTimestamp") or ""),
    ]
    key = _key(deployment)
    extra = [inventory.services.get(key, ""), inventory.nodes.get(key, "")] if wide else []
    return [*([metadata["namespace"]] if all_namespaces else []), *cells, *extra]


def typed(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """With the two fields that the API leaves out of a list's items."""
    return {"apiVersion": DEPLOYMENT.api_version, "kind": DEPLOYMENT.kind, **deployment}


def address(service: Mapping[str, Any]) -> str:
    """The in-cluster URL: ``http://web.default.svc:8080``."""
    metadata = service["metadata"]
    port = (service["spec"].get("ports") or [{}])[0].get("port", "")
    return f"http://{metadata['name']}.{metadata['namespace']}.svc:{port}"


def _listed(
    cluster: Cluster, resource: Resource, namespace: str | None, labels: str
) -> list[dict[str, Any]]:
    found = cluster.list(resource, dict[str, Any], namespace, label_selector=labels)
    return sorted(found.items, key=_key)


def _readable(cluster: Cluster, resource: Resource, namespace: str | None) -> list[dict[str, Any]]:
    """Extra columns are empty where they may not be read."""
    try:
        return _listed(cluster, resource, namespace, MANAGED_SELECTOR)
    except Forbidden:
        return []


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["metadata"].get("namespace", "")), str(item["metadata"]["name"])


def _workload(pod: Mapping[str, Any]) -> tuple[str, str]:
    labels = pod["metadata"].get("labels") or {}
    return _key(pod)[0], str(labels.get("app.kubernetes.io/instance", ""))
