"""Fills a cluster: a few objects through the API, the others as copies of their stored bytes.

The API server takes some fifty pods a second; etcd takes a thousand copies. What it stored for a
pattern is real (defaults, managedFields of each writer), and a copy differs only in names,
identifiers and addresses of the same length. Run as a program it fills and prints what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import patterns
from etcd import Etcd

from kubectl_wasmai import resources
from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.resources import Resource

NAMESPACES = 100
PODS_OF_ONE = 15
NODE_KEY = "/registry/minions"
_SCHEMA = 0x5EED
_TOKEN = re.compile(rb"kube-api-access-[a-z0-9]{5}")


@dataclass(frozen=True)
class Size:
    """How much to put into the cluster; ``wasm`` and ``broken`` are shares of the workloads."""

    nodes: int = 1_000
    pods: int = 30_000
    events: int = 60_000
    wasm: float = 0.02
    broken: float = 0.1

    @property
    def workloads(self) -> int:
        return max(self.pods // PODS_OF_ONE, 1)

    def kind_of(self, workload: int) -> str:
        """Spread evenly, and the same each time."""
        place = (workload * 0.6180339887) % 1
        if place < self.wasm * self.broken / 2:
            return "wasm-pending"
        if place < self.wasm * self.broken:
            return "wasm-broken"
        if place < self.wasm:
            return "wasm"
        return ("linux", "linux", "linux-sidecar", "linux-init")[workload % 4]


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

    def make(self, size: Size) -> dict[str, Stored]:
        self._post(resources.NAMESPACE, {"metadata": {"name": patterns.NAMESPACE}}, "kubectl")
        account = {"metadata": {"name": "default", "namespace": patterns.NAMESPACE}}
        self._post(resources.SERVICE_ACCOUNT, account, "kube-controller-manager")
        self._post(resources.RUNTIME_CLASS, patterns.RUNTIME_CLASS, "kubectl")
        node = self._post(resources.NODE, patterns.node(), "kubelet")
        self._status(resources.NODE, node, patterns.node_status(), "kubelet")
        made = {"Node": self._stored(NODE_KEY, patterns.NODE, {"node": _uid(node)})}
        for kind in patterns.KINDS:
            made.update(self._workload(kind, size))
        return made

    def _workload(self, kind: str, size: Size) -> dict[str, Stored]:
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
        folder = f"{patterns.NAMESPACE}"
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
        reasons = {
            "wasm-broken": ("Pulled", "BackOff"),
            "wasm-pending": ("FailedScheduling",),
        }.get(kind, ("Scheduled", "Pulled"))
        for number, reason in enumerate(reasons):
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


def copies(made: dict[str, Stored], size: Size) -> Iterator[tuple[str, bytes]]:
    """Key and value of every object, deterministic."""
    for number in range(1, size.nodes):
        name = f"worker-{number:04}"
        swap = {patterns.NODE: name, patterns.HOST_IP: _host_ip(number)}
        yield f"{NODE_KEY}/{name}", _copy(made["Node"], swap, name)
    events = 0
    for workload in range(size.workloads):
        kind = size.kind_of(workload)
        app = f"app-{workload:05}"
        namespace = f"team-{workload % NAMESPACES:02}"
        swap = {patterns.APP: app, patterns.NAMESPACE: namespace}
        for what, folder, name in (
            ("Deployment", "deployments", app),
            ("ReplicaSet", "replicasets", patterns.REPLICA_SET.replace(patterns.APP, app)),
            ("Service", "services/specs", app),
        ):
            key = f"/registry/{folder}/{namespace}/{name}"
            yield key, _copy(made[f"{kind}/{what}"], swap, app)
        share = range(workload * PODS_OF_ONE, min((workload + 1) * PODS_OF_ONE, size.pods))
        for pod in share:
            of_pod = _of_pod(swap, pod, size)
            name = of_pod[patterns.POD]
            yield f"/registry/pods/{namespace}/{name}", _copy(
                made[f"{kind}/Pod"], of_pod, app, name
            )
            until = (pod + 1) * size.events // size.pods
            for event in range(events, until):
                which = made.get(f"{kind}/Event{event % 2}") or made[f"{kind}/Event0"]
                mark = f"{0x17A0B1C2D3000000 + event:x}"
                key = f"/registry/events/{namespace}/{name}.{mark}"
                yield key, _copy(which, {**of_pod, patterns.EVENT_SUFFIX: mark}, app, name)
            events = until


def _of_pod(swap: dict[str, str], pod: int, size: Size) -> dict[str, str]:
    """What differs in a pod; the longest first, since the short ones are parts of it."""
    replica_set = patterns.REPLICA_SET.replace(patterns.APP, swap[patterns.APP])
    name = f"{replica_set}-{_letters(pod)}"
    node = pod * 7919 % size.nodes
    return {
        patterns.POD: name,
        patterns.NODE: f"worker-{node:04}",
        patterns.HOST_IP: _host_ip(node),
        patterns.POD_IP: f"10.198.{100 + pod // 256 % 156}.{100 + pod % 156}",
        patterns.CONTAINER_ID: hashlib.sha256(name.encode()).hexdigest(),
        **swap,
    }


def _copy(stored: Stored, swap: dict[str, str], app: str, pod: str = "") -> bytes:
    value = stored.value
    for old, new in swap.items():
        value = value.replace(old.encode(), new.encode())
    for what, old in stored.uids.items():
        owner = {"pod": pod, "event": str(sorted(swap.values())), "node": app}.get(what, app)
        new = str(uuid.uuid5(uuid.UUID(int=_SCHEMA), f"{what} {owner}"))
        value = value.replace(old.encode(), new.encode())
    if pod:
        letters = pod.rpartition("-")[2][::-1]
        if stored.token:
            value = value.replace(stored.token, f"kube-api-access-{letters}".encode())
        later = int.from_bytes(hashlib.sha256(pod.encode()).digest()[:4], "big") % 80_000
        for number, moment in enumerate(patterns.MOMENTS.values()):
            shift = later + number * (later % 3)
            value = value.replace(_varint(moment), _varint(moment - shift))
    if len(value) != len(stored.value):
        raise AssertionError("a copy must be as long as its pattern")
    return value


def _varint(number: int) -> bytes:
    """As protobuf writes it; times of our days take five bytes."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _host_ip(number: int) -> str:
    return f"127.99.{100 + number // 100}.{100 + number % 100}"


def _letters(number: int) -> str:
    """Five letters, as Kubernetes ends the names of pods."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    out = ""
    for _ in range(5):
        number, rest = divmod(number, len(alphabet))
        out = alphabet[rest] + out
    return out


def _uid(made: dict[str, Any]) -> str:
    return str(made["metadata"]["uid"])


def fill(cluster: Cluster, etcd: Etcd, size: Size) -> int:
    """Returns the number of objects written. The cluster must be empty."""
    made = Patterns(cluster, etcd).make(size)
    for number in range(1, NAMESPACES):
        name = f"team-{number:02}"
        cluster.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
        account = {"metadata": {"name": "default"}}
        cluster.request("POST", f"/api/v1/namespaces/{name}/serviceaccounts", body=account)
    return etcd.put_all(copies(made, size))


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
