"""Whether an object is ours to change. Ours is what carries our managed-by label, nothing else.

Server-side apply would merge into anybody's Service of the same name without a conflict, and
delete takes what it is given: so this is asked first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.manifests import INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER
from kubectl_wasmai.deploy.text import clean
from kubectl_wasmai.errors import Forbidden, InputError, NotFound
from kubectl_wasmai.resources import DEPLOYMENT, SERVICE, Resource

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster

OURS = (DEPLOYMENT, SERVICE)
"""What deploy makes, in the order it makes it."""


def read_ours(cluster: Cluster, name: str, namespace: str) -> dict[Resource, dict[str, Any]]:
    """Those objects called ``name`` that exist. Raises when one of them is not ours."""
    found: dict[Resource, dict[str, Any]] = {}
    for resource in OURS:
        try:
            found[resource] = cluster.get(resource, name, namespace)
        except NotFound:
            continue
        check_ours(resource, found[resource])
    return found


def read_readable(cluster: Cluster, name: str, namespace: str) -> dict[Resource, dict[str, Any]]:
    """As :func:`read_ours`, for somebody who may write without reading: unknown is no refusal."""
    try:
        return read_ours(cluster, name, namespace)
    except Forbidden:
        return {}


def nothing(name: str, namespace: str) -> NotFound:
    """The error for a name under which nothing of ours exists."""
    return NotFound(
        f'deployment.apps "{clean(name)}" not found in namespace {namespace}',
        hint="kubectl wasmai list -A shows what there is",
        status=404,
        reason="NotFound",
    )


def check_ours(resource: Resource, found: dict[str, Any]) -> None:
    """Raise unless ``found`` was made by this tool under its own name."""
    metadata = found.get("metadata") or {}
    labels = metadata.get("labels") or {}
    name = str(metadata.get("name", ""))
    if labels.get(MANAGED_BY_LABEL) == MANAGER and labels.get(INSTANCE_LABEL) == name:
        return
    raise InputError(
        f"{resource.full_name}/{name} in namespace {metadata.get('namespace', '')} was not made by "
        f"kubectl wasmai: {_manager(labels, metadata)}",
        hint="choose another name, or remove that object with the tool that made it",
    )


def _manager(labels: dict[str, str], metadata: dict[str, Any]) -> str:
    if labels.get(MANAGED_BY_LABEL):
        return f"its label {MANAGED_BY_LABEL} says {clean(labels[MANAGED_BY_LABEL])}"
    for entry in metadata.get("managedFields") or []:
        if entry.get("manager") and not entry.get("subresource"):
            return f"it has no label {MANAGED_BY_LABEL}; written by {clean(entry['manager'])}"
    return f"it has no label {MANAGED_BY_LABEL}"
