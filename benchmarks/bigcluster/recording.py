"""Writes a snapshot of a big cluster to a file, as ``snapshot save`` would, without a cluster."""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigcluster import patterns
from bigcluster.spread import PODS_OF_ONE, Size, spread

if TYPE_CHECKING:
    from collections.abc import Iterator


def record(target: Path, size: Size) -> None:
    """A ``.tar.gz`` of one List for each kind, each object as JSON."""
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for name, text in _members(size):
            member = tarfile.TarInfo(name)
            content = text.encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _members(size: Size) -> Iterator[tuple[str, str]]:
    taken = patterns.stamp(patterns.MOMENTS["ready"] + 3600)
    info = {"context": "big", "serverVersion": "v1.34.4", "takenAt": taken}
    yield "snapshot.json", json.dumps({"kind": "SnapshotInfo", "info": info})
    for plural, kind, items in (
        ("runtimeclasses", "RuntimeClass", [json.dumps(patterns.RUNTIME_CLASS)]),
        *_spread(size),
    ):
        yield f"{plural}.json", f'{{"kind":"{kind}List","items":[{",".join(items)}]}}'
    for plural, kind in (("serviceaccounts", "ServiceAccount"), ("storageclasses", "StorageClass"),
                         ("namespaces", "Namespace"), ("resourcequotas", "ResourceQuota"),
                         ("persistentvolumeclaims", "PersistentVolumeClaim"),
                         ("poddisruptionbudgets", "PodDisruptionBudget")):  # fmt: skip
        yield f"{plural}.json", f'{{"kind":"{kind}List","items":[]}}'


def _spread(size: Size) -> Iterator[tuple[str, str, list[str]]]:
    found: dict[str, list[str]] = {}
    made = {kind: _patterns(kind) for kind in patterns.KINDS}
    node = json.dumps({**patterns.node(), "status": patterns.node_status()})
    for copy in spread(size):
        text = node if copy.what == "Node" else made[copy.kind][copy.what]
        for old, new in copy.swap.items():
            text = text.replace(old, new)
        for moment in patterns.MOMENTS.values():
            text = text.replace(patterns.stamp(moment), patterns.stamp(moment - copy.earlier))
        found.setdefault(copy.what.rstrip("01"), []).append(text)
    for what, items in found.items():
        yield f"{what.lower()}s", what, items


def _patterns(kind: str) -> dict[str, str]:
    deployment = patterns.deployment(kind, PODS_OF_ONE)
    replica_set = patterns.replica_set(kind, PODS_OF_ONE, "uid-of-deployment")
    pod = patterns.pod(kind, "uid-of-replicaset")
    for each in (deployment, replica_set):
        each["status"] = patterns.workload_status(kind, PODS_OF_ONE)
    pod["status"] = patterns.pod_status(kind)
    pod["metadata"] |= {"uid": "uid-of-pod", "creationTimestamp": patterns.SCHEDULED}
    found: dict[str, Any] = {
        "Deployment": deployment,
        "ReplicaSet": replica_set,
        "Service": patterns.service(),
        "Pod": pod,
    }
    for number, reason in enumerate(patterns.reasons(kind)):
        found[f"Event{number}"] = patterns.event(reason, "uid-of-pod")
    return {what: json.dumps(each) for what, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("target", type=Path)
    for name in ("nodes", "pods", "events"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    given = parser.parse_args()
    record(given.target, Size(given.nodes, given.pods, given.events))


if __name__ == "__main__":
    main()
