"""Putting manifests on the cluster, one by one, so that the caller can say what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kubectl_wasmai.deploy.manifests import MANAGER
from kubectl_wasmai.resources import BY_KIND, DEPLOYMENT, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kubectl_wasmai.cluster import Cluster

DryRun = Literal["none", "server"]


@dataclass(frozen=True)
class Written:
    """One object as the server has it now, and whether it was created, configured or unchanged."""

    resource: Resource
    object: dict[str, Any]
    operation: str

    @property
    def reference(self) -> str:
        """``kind.group/name``, as kubectl prints it."""
        return f"{self.resource.full_name}/{self.object['metadata']['name']}"


def apply_all(
    cluster: Cluster,
    manifests: Sequence[dict[str, Any]],
    *,
    dry_run: DryRun = "none",
    force_conflicts: bool = False,
) -> Iterator[Written]:
    """Apply in order. Lazily: when a later one is refused, the earlier ones were yielded."""
    for manifest in manifests:
        applied = cluster.apply(manifest, dry_run=dry_run, force_conflicts=force_conflicts)
        yield Written(BY_KIND[manifest["kind"]], applied.object, applied.operation)


def keep_scale(
    manifests: Sequence[dict[str, Any]], existing: Mapping[Resource, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The manifests of somebody who named no number of replicas: the live number stays.

    Where the field is still ours, its value is repeated: an apply without it would hand it back
    to its default, 1. Where ``kubectl scale`` or an autoscaler has taken it, it is left out, so
    that it stays theirs.
    """
    live = existing.get(DEPLOYMENT)
    if live is None:
        return list(manifests)
    return [_scaled_as(live, one) if one["kind"] == "Deployment" else one for one in manifests]


def _scaled_as(live: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    spec = {key: value for key, value in manifest["spec"].items() if key != "replicas"}
    if _replicas_are_ours(live):
        spec["replicas"] = live["spec"].get("replicas", 1)
    return {**manifest, "spec": spec}


def _replicas_are_ours(live: dict[str, Any]) -> bool:
    return any(
        entry.get("manager") == MANAGER
        and entry.get("operation") == "Apply"
        and "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields") or []
    )
