"""What a big cluster holds: how much of each pattern, under which names. The same each time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bigcluster import patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACES = 100
PODS_OF_ONE = 15
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_FIRST_EVENT = 0x17A0B1C2D3000000
_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class Size:
    """How much there is; ``wasm`` is a share of the workloads, ``broken`` one of those."""

    nodes: int = 1_000
    pods: int = 30_000
    events: int = 60_000
    wasm: float = 0.02
    broken: float = 0.1

    @property
    def workloads(self) -> int:
        return max(self.pods // PODS_OF_ONE, 1)

    def kind_of(self, workload: int) -> str:
        """Spread evenly."""
        place = (workload * _GOLDEN) % 1
        if place < self.wasm * self.broken / 2:
            return "wasm-pending"
        if place < self.wasm * self.broken:
            return "wasm-broken"
        if place < self.wasm:
            return "wasm"
        return ("linux", "linux", "linux-sidecar", "linux-init")[workload % 4]


@dataclass(frozen=True)
class Copy:
    """One object: a pattern with other words in it, the longest first, since the short ones are
    parts of them. ``earlier`` are seconds that it is older than the pattern."""

    what: str
    kind: str
    namespace: str
    name: str
    owner: str = ""
    swap: dict[str, str] = field(default_factory=dict)
    earlier: int = 0


class _Workload(NamedTuple):
    number: int
    kind: str
    app: str
    namespace: str

    @property
    def replica_set(self) -> str:
        return patterns.REPLICA_SET.replace(patterns.APP, self.app)

    @property
    def swap(self) -> dict[str, str]:
        return {patterns.APP: self.app, patterns.NAMESPACE: self.namespace}


def spread(size: Size) -> Iterator[Copy]:
    for number in range(size.nodes):
        name = f"worker-{number:04}"
        swap = {patterns.NODE: name, patterns.HOST_IP: _host_ip(number)}
        yield Copy("Node", "", "", name, name, swap)
    for number in range(size.workloads):
        app, namespace = f"app-{number:05}", f"team-{number % NAMESPACES:02}"
        yield from _of_workload(_Workload(number, size.kind_of(number), app, namespace), size)


def _of_workload(workload: _Workload, size: Size) -> Iterator[Copy]:
    _, kind, app, namespace = workload
    yield Copy("Deployment", kind, namespace, app, app, workload.swap)
    yield Copy("ReplicaSet", kind, namespace, workload.replica_set, app, workload.swap)
    yield Copy("Service", kind, namespace, app, app, workload.swap)
    first = workload.number * PODS_OF_ONE
    for pod in range(first, min(first + PODS_OF_ONE, size.pods)):
        name = f"{workload.replica_set}-{letters(pod)}"
        swap = _of_pod(workload, pod, name, size)
        earlier = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 80_000
        yield Copy("Pod", kind, namespace, name, app, swap, earlier)
        for event in range(pod * size.events // size.pods, (pod + 1) * size.events // size.pods):
            mark = f"{_FIRST_EVENT + event:x}"
            swap = {**swap, patterns.EVENT_SUFFIX: mark}
            reasons = patterns.reasons(kind)
            what = f"Event{event % len(reasons)}"
            yield Copy(what, kind, namespace, f"{name}.{mark}", app, swap, earlier)


def _of_pod(workload: _Workload, pod: int, name: str, size: Size) -> dict[str, str]:
    node = pod * 7919 % size.nodes
    return {
        patterns.POD: name,
        patterns.NODE: f"worker-{node:04}",
        patterns.HOST_IP: _host_ip(node),
        patterns.POD_IP: f"10.198.{100 + pod // 256 % 156}.{100 + pod % 156}",
        patterns.CONTAINER_ID: hashlib.sha256(name.encode()).hexdigest(),
        **workload.swap,
    }


def _host_ip(number: int) -> str:
    """On the loopback device, where nothing listens: a log is refused at once, not in seconds."""
    return f"127.99.{100 + number // 100}.{100 + number % 100}"


def letters(number: int) -> str:
    """Five, as Kubernetes ends the names of pods."""
    out = ""
    for _ in range(5):
        number, rest = divmod(number, len(_LETTERS))
        out = _LETTERS[rest] + out
    return out
