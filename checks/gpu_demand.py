"""GPU requests that no node can meet, and why: the reasoning that the detectors share.

The scheduler says ``Insufficient nvidia.com/gpu`` for six different reasons. The nodes tell them
apart: no such resource, another name for it, too few on any node, all taken, withdrawn, gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kubectl_wasmai.checks.node import trouble
from kubectl_wasmai.checks.scheduling import Unplaced, asked, unplaced

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor import devices
from kubectl_wasmai.doctor.health import is_finished
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.placement import selects, untolerated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.doctor.model import Case, Subject
    from kubectl_wasmai.snapshot.objects import Node, Pod

Kind = Literal["absent", "mismatch", "too-large", "exhausted", "sick", "unclear"]
_SHORT = re.compile(r"Insufficient (?P<resource>[\w.-]+/[\w./+-]*\w)")
_REASON = re.compile(r"(?:^|[:,]\s*)\d+ (?!nodes\b)([A-Za-z][^,.:{]*)")
NO_VICTIM = "No preemption victims found"
"""From 1.31 on: others hold what is asked for; "Preemption is not helpful" means that even an
empty node would not do (noderesources/fit.go)."""


@dataclass(frozen=True)
class Shortage:
    """One pod's GPU request that is not met. ``nodes`` are those at fault (sick); ``offered``
    what nodes have instead, or how many at most."""

    waiting: Unplaced
    resource: str
    wanted: int
    kind: Kind
    nodes: tuple[Node, ...] = ()
    offered: tuple[str, ...] = ()
    most: int = 0
    sure: bool = True

    @property
    def workload(self) -> Subject:
        subject: Subject = self.waiting.view.subject
        return subject

    @property
    def vendor(self) -> str:
        return gpu.vendor(self.resource)


@once_per_case
def shortages(case: Case) -> tuple[Shortage, ...]:
    """Of every pod without a node whose GPU request is what keeps it. Pods that ask for the same
    and are told the same lack the same: judged once."""
    known: dict[tuple[bytes, str], tuple[Shortage, ...]] = {}
    found: list[Shortage] = []
    for each in unplaced(case):
        if gpu.requests(each.pod.spec):
            alike = (asked(each), each.text)
            if alike not in known:
                known[alike] = tuple(_of(case, each))
            found += [replace(shortage, waiting=each) for shortage in known[alike]]
    return tuple(found)


def _of(case: Case, waiting: Unplaced) -> Iterator[Shortage]:
    text = waiting.text.partition("preemption:")[0]
    short = {match["resource"] for match in _SHORT.finditer(text)}
    for resource, wanted in gpu.requests(waiting.pod.spec).items():
        if resource not in short:
            continue
        if case.snapshot.has("Node"):
            found = _from_nodes(case, waiting, (resource, wanted))
        else:
            found = _from_text(case, waiting, resource, wanted)
        if found is not None:
            yield found


def _from_nodes(case: Case, waiting: Unplaced, request: tuple[str, int]) -> Shortage | None:
    resource, wanted = request
    spec = waiting.pod.spec
    selected = [node for node in case.snapshot.nodes if selects(spec, node)]
    # A node that something else keeps away has been judged by that already.
    candidates = [node for node in selected if _is_open(waiting, node)]
    if not candidates:
        return None
    if any(free(case, node, resource) >= wanted for node in selected):
        return _seems_free(waiting, resource, wanted)
    most = max(offered(case, node, resource) for node in candidates)
    withdrawn = tuple(
        node
        for node in candidates
        if _promised(node, resource) - taken(case).get((node.name, resource), 0) >= wanted
    )
    if withdrawn:
        return Shortage(waiting, resource, wanted, "sick", withdrawn)
    if most >= wanted:
        return Shortage(waiting, resource, wanted, "exhausted", tuple(candidates))
    if most:
        return Shortage(waiting, resource, wanted, "too-large", most=most)
    return _of_none(case, waiting, request, tuple(candidates))


def _of_none(
    case: Case, waiting: Unplaced, request: tuple[str, int], nodes: tuple[Node, ...]
) -> Shortage:
    """No node has any: under another name, no longer, or never."""
    resource, wanted = request
    others = _others(case, nodes, resource)
    gone = tuple(node for node in nodes if resource in gpu.offers(node))
    if gone and not any(gpu.vendor(name) == gpu.vendor(resource) for name in others):
        return Shortage(waiting, resource, wanted, "sick", gone)
    kind: Kind = "mismatch" if others else "absent"
    return Shortage(waiting, resource, wanted, kind, nodes, others)


def _is_open(waiting: Unplaced, node: Node) -> bool:
    found = trouble(node)
    kept_away = node.spec.unschedulable or bool(untolerated(waiting.pod.spec, node))
    return not kept_away and (found is None or found.cause == "node-pressure")


def _seems_free(waiting: Unplaced, resource: str, wanted: int) -> Shortage | None:
    """A node has enough, as far as one sees, and the scheduler knew only of too few: those that
    hold them are in namespaces that were not read. Where it named another reason, too, that
    one may be of the node that has enough."""
    text = waiting.text.partition("preemption:")[0]
    reasons = [match[1].strip() for match in _REASON.finditer(text)]
    everywhere = _everywhere(text, resource)
    if not everywhere and any(
        not reason.startswith("Insufficient " + resource.partition(".")[0]) for reason in reasons
    ):
        return None
    return Shortage(waiting, resource, wanted, "exhausted", sure=False)


def _everywhere(text: str, resource: str) -> bool:
    """Whether it is short on every node that there is: ``0/2 nodes …, 2 Insufficient …``."""
    found = re.search(
        rf"0/(?P<nodes>\d+) .*?(?P<short>\d+) Insufficient {re.escape(resource)}\b", text
    )
    return found is not None and found["nodes"] == found["short"]


def _from_text(case: Case, waiting: Unplaced, resource: str, wanted: int) -> Shortage:
    """Without nodes. Those who hold such GPUs prove that there are some."""
    held = any(name == resource for _, name in taken(case))
    if NO_VICTIM in waiting.text or (held and wanted == 1):
        return Shortage(waiting, resource, wanted, "exhausted", sure=False)
    if "Preemption is not helpful" in waiting.text and not held and wanted == 1:
        return Shortage(waiting, resource, wanted, "absent", sure=False)
    return Shortage(waiting, resource, wanted, "unclear", sure=False)


def _offer(node: Node, resource: str) -> tuple[int, int]:
    return gpu.offers(node).get(resource, (0, 0))


def offered(case: Case, node: Node, resource: str) -> int:
    """How many the node has for pods, by a device plugin or by a DRA driver's devices."""
    by_driver, _ = devices.offers(case).get((node.name, resource), (0, 0))
    return max(_offer(node, resource)[1], by_driver)


def free(case: Case, node: Node, resource: str) -> int:
    """Those that no pod in sight holds."""
    if (node.name, resource) in devices.offers(case) and not _offer(node, resource)[1]:
        return devices.offers(case)[node.name, resource][1]
    return _offer(node, resource)[1] - taken(case).get((node.name, resource), 0)


def _promised(node: Node, resource: str) -> int:
    """What the node would have if nothing were withdrawn or gone."""
    capacity, allocatable = _offer(node, resource)
    labelled = gpu.expected_count(node) if resource == "nvidia.com/gpu" and capacity else 0
    return max(capacity, labelled) if max(capacity, labelled) > allocatable else 0


def _others(case: Case, nodes: tuple[Node, ...], resource: str) -> tuple[str, ...]:
    """Other GPU resources that the nodes offer, of the same vendor first; claims last."""
    found = {name for node in nodes for name, (_, free) in gpu.offers(node).items() if free}
    same = gpu.vendor(resource)
    by_name = sorted(found - {resource}, key=lambda name: (gpu.vendor(name) != same, name))
    return (*by_name, *_by_claim(case, nodes, resource))


def _by_claim(case: Case, nodes: tuple[Node, ...], resource: str) -> Iterator[str]:
    """Devices of the vendor that a DRA driver publishes there, as a pod must ask for them."""
    names = {node.name for node in nodes}
    known = {d.driver for d in devices.published(case) if d.node in names}
    same = gpu.vendor(resource)
    for name in sorted(case.snapshot.device_classes):
        if name in known and same in name and gpu.is_gpu_driver(name):
            extended = devices.has_extended(case.snapshot)
            yield devices.IMPLICIT + name if extended else f"a resource claim of class {name}"


@once_per_case
def taken(case: Case) -> dict[tuple[str, str], int]:
    """GPUs held on each node, by node and resource."""
    held: dict[tuple[str, str], int] = {}
    for pod in case.snapshot.pods:
        node = pod.spec.node_name
        if node and pod.status.phase != "Failed" and not is_finished(pod):
            for name, number in gpu.requests(pod.spec).items():
                held[node, name] = held.get((node, name), 0) + number
    return held


def holders(case: Case, shortage: Shortage) -> Iterator[str]:
    """Names of the pods that hold what is asked for."""
    names = {node.name for node in shortage.nodes}
    for pod in _holding(case).get(shortage.resource, ()):
        if not names or pod.spec.node_name in names:
            yield f"{pod.namespace}/{pod.name}"


@once_per_case
def _holding(case: Case) -> dict[str, list[Pod]]:
    """Pods that hold GPUs now, by the resource."""
    found: dict[str, list[Pod]] = {}
    for pod in case.snapshot.pods:
        for name in gpu.requests(pod.spec) if gpu.granted(pod) else ():
            found.setdefault(name, []).append(pod)
    return found
