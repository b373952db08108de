"""Fills a cluster: a few objects through the API, the others as copies of their stored bytes.

The API server takes some fifty pods a second; etcd takes a thousand copies. What it stored for a
pattern is real (defaults, managedFields of each writer), and a copy differs only in names,
identifiers, addresses and times of the same length.
"""

from __future__ import annotations

import argparse
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from bigcluster import patterns
from bigcluster.etcd import Etcd
from bigcluster.spread import NAMESPACES, PODS_OF_ONE, Size, spread
from kubectl_wasmai import resources
from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect

if TYPE_CHECKING:
    from bigcluster.spread import Copy
    from kubectl_wasmai.resources import Resource

NODE_KEY = "/registry/minions"
_FOLDERS = {
    "Deployment": "deployments",
    "ReplicaSet": "replicasets",
    "Service": "services/specs",
    "Pod": "pods",
}
_BITS = 7  # of a number in each byte of a varint
_SCHEMA = uuid.UUID(int=0x5EED)
_TOKEN = re.compile(rb"kube-api-access-[a-z0-9]{5}")


class Stored(NamedTuple):
    """What etcd holds of one pattern, and the identifiers in it."""

    value: bytes
    uids: dict[str, str]

    @property
    def token(self) -> bytes:
        """The name that admission made up for the volume of the account's token."""
        found = _TOKEN.search(self.value)
        return found[0] if found else b""


class Patterns:
    """Makes each pattern once through the API, as its real writers would, and reads it back."""

    def __init__(self, cluster: Cluster, etcd: Etcd) -> None:
        self._cluster, self._etcd = cluster, etcd

    def make(self) -> dict[str, Stored]:
        self._post(resources.NAMESPACE, {"metadata": {"name": patterns.NAMESPACE}}, "kubectl")
        account = {"metadata": {"name": "default", "namespace": patterns.NAMESPACE}}
        self._post(resources.SERVICE_ACCOUNT, account, "kube-controller-manager")
        self._post(resources.RUNTIME_CLASS, patterns.RUNTIME_CLASS, "kubectl")
        node = self._post(resources.NODE, patterns.node(), "kubelet")
        self._status(resources.NODE, node, patterns.node_status(), "kubelet")
        made = {"Node": self._stored(NODE_KEY, patterns.NODE, {"node": _uid(node)})}
        for kind in patterns.KINDS:
            made.update(self._workload(kind))
        return made

    def _workload(self, kind: str) -> dict[str, Stored]:
        """All patterns of one kind of workload, made and removed again: they share names."""
        count = PODS_OF_ONE
        deployment = self._post(resources.DEPLOYMENT, patterns.deployment(kind, count), "helm")
        uids = {"deployment": _uid(deployment)}
        replica_set = self._post(
            resources.REPLICA_SET,
            patterns.replica_set(kind, count, uids["deployment"]),
            "kube-controller-manager",
        )
        uids["replicaset"] = _uid(replica_set)
        status = patterns.workload_status(kind, count)
        for resource, made in (
            (resources.DEPLOYMENT, deployment), (resources.REPLICA_SET, replica_set),
        ):  # fmt: skip
            self._status(resource, made, status, "kube-controller-manager")
        pod = self._post(
            resources.POD, patterns.pod(kind, uids["replicaset"]), "kube-controller-manager"
        )
        uids["pod"] = _uid(pod)
        self._status(resources.POD, pod, patterns.pod_status(kind), "kubelet")
        service = self._post(resources.SERVICE, patterns.service(), "helm")
        uids["service"] = _uid(service)
        folder = patterns.NAMESPACE
        found = {
            f"{kind}/Deployment": self._stored(
                f"/registry/deployments/{folder}", patterns.APP, uids
            ),
            f"{kind}/ReplicaSet": self._stored(
                f"/registry/replicasets/{folder}", patterns.REPLICA_SET, uids
            ),
            f"{kind}/Pod": self._stored(f"/registry/pods/{folder}", patterns.POD, uids),
            f"{kind}/Service": self._stored(
                f"/registry/services/specs/{folder}", patterns.APP, uids
            ),
        }
        for number, reason in enumerate(patterns.reasons(kind)):
            found[f"{kind}/Event{number}"] = self._event(reason, uids)
        for resource, name in (
            (resources.SERVICE, patterns.APP),
            (resources.POD, patterns.POD),
            (resources.REPLICA_SET, patterns.REPLICA_SET),
            (resources.DEPLOYMENT, patterns.APP),
        ):
            now = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
            path = resource.path(patterns.NAMESPACE, name)
            self._cluster.request("DELETE", path, body=now)
        return found

    def _event(self, reason: str, uids: dict[str, str]) -> Stored:
        writer = "kubelet" if reason in ("Pulled", "BackOff") else "kube-scheduler"
        event = self._post(resources.EVENT, patterns.event(reason, uids["pod"]), writer)
        name = event["metadata"]["name"]
        stored = self._stored(
            f"/registry/events/{patterns.NAMESPACE}", name, {**uids, "event": _uid(event)}
        )
        self._cluster.request("DELETE", resources.EVENT.path(patterns.NAMESPACE, name))
        return stored

    def _post(self, resource: Resource, body: dict[str, Any], writer: str) -> dict[str, Any]:
        path = resource.path(patterns.NAMESPACE)
        manager = [("fieldManager", writer)]
        answer: dict[str, Any] = self._cluster.request(
            "POST", path, body={"apiVersion": resource.api_version, "kind": resource.kind, **body},
            query=manager,
        ).json()  # fmt: skip
        return answer

    def _status(
        self, resource: Resource, made: dict[str, Any], status: dict[str, Any], writer: str
    ) -> None:
        metadata = made["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"]) + "/status"
        self._cluster.request(
            "PATCH", path, body={"status": status}, query=[("fieldManager", writer)],
            content_type="application/merge-patch+json",
        )  # fmt: skip

    def _stored(self, folder: str, name: str, uids: dict[str, str]) -> Stored:
        return Stored(self._etcd.get(f"{folder}/{name}"), dict(uids))


def copied(made: dict[str, Stored], copy: Copy) -> tuple[str, bytes]:
    """Key and value of an object."""
    if copy.what == "Node":
        return f"{NODE_KEY}/{copy.name}", _value(made["Node"], copy)
    folder = _FOLDERS.get(copy.what, "events")
    key = f"/registry/{folder}/{copy.namespace}/{copy.name}"
    return key, _value(made[f"{copy.kind}/{copy.what}"], copy)


def _value(stored: Stored, copy: Copy) -> bytes:
    value = stored.value
    for old, new in copy.swap.items():
        value = value.replace(old.encode(), new.encode())
    pod = copy.swap.get(patterns.POD, "")
    for what, old in stored.uids.items():
        about = {"pod": pod, "event": copy.name}.get(what, copy.owner)
        value = value.replace(old.encode(), str(uuid.uuid5(_SCHEMA, f"{what} {about}")).encode())
    if stored.token:
        token = f"kube-api-access-{pod.rpartition('-')[2][::-1]}"
        value = value.replace(stored.token, token.encode())
    for moment in patterns.MOMENTS.values():
        value = value.replace(_varint(moment), _varint(moment - copy.earlier))
    if len(value) != len(stored.value):
        raise AssertionError("a copy must be as long as its pattern")
    return value


def _varint(number: int) -> bytes:
    """As protobuf writes it; times of our days take five bytes."""
    out = bytearray()
    while number >> _BITS:
        out.append(number & ~(-1 << _BITS) | 1 << _BITS)
        number >>= _BITS
    return bytes([*out, number])


def _uid(made: dict[str, Any]) -> str:
    return str(made["metadata"]["uid"])


def fill(cluster: Cluster, etcd: Etcd, size: Size) -> int:
    """Returns the number of objects written. The cluster must be empty."""
    made = Patterns(cluster, etcd).make()
    for number in range(1, NAMESPACES):
        name = f"team-{number:02}"
        cluster.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
        account = {"metadata": {"name": "default"}}
        cluster.request("POST", f"/api/v1/namespaces/{name}/serviceaccounts", body=account)
    return etcd.put_all(copied(made, copy) for copy in spread(size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--etcd", required=True, help="URL of its client port")
    for name in ("nodes", "pods", "events"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    parser.add_argument("--wasm", type=float, default=Size().wasm)
    given = parser.parse_args()
    size = Size(given.nodes, given.pods, given.events, given.wasm)
    started = time.monotonic()
    with connect(ConnectionOptions(kubeconfig=given.kubeconfig)) as cluster:
        written = fill(cluster, Etcd(given.etcd), size)
    print(f"{written} objects in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
