"""Do the GPU nodes say what they have, and is it still true?

GPU feature discovery writes labels and leaves them behind when it dies. Stock GKE, EKS and AKS
have none of its labels, and labels of the cloud instead.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import of_role
from kubectl_wasmai.checks.gpu_driver import driver_of_labels
from kubectl_wasmai.checks.gpu_metrics import of_node
from kubectl_wasmai.checks.gpu_use import NOT_WANTED, wanting

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import by_node, gpus_of
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status, Subject
from kubectl_wasmai.doctor.once import once_per_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot.objects import Node

TIMESTAMP = "nvidia.com/gfd.timestamp"
SLACK = timedelta(minutes=5)
"""The components of a node start within minutes of each other."""


def nodes_labelled(case: Case) -> Iterable[Result]:
    if not wanting(case):
        yield Result(Status.SKIP, NOT_WANTED)
        return
    telling = {node for node in by_node(case) if gpus_of(case, node)}
    labelled = [n for n in case.snapshot.nodes if gpu.shows_gpu(n)]
    bare = [
        node.name
        for node in case.snapshot.nodes
        if gpu.offers(node) and node not in labelled and node.name not in telling
    ]
    evidence = tuple(_labels(node) for node in labelled[:3])
    stale = [found for node in labelled for found in _stale(case, node)]
    yield from stale
    if bare:
        reason = f"{bare[0]} offers a GPU and has no label that tells which"
        yield Result(Status.WARN, reason, Subject("Node", "", bare[0]), evidence)
    elif labelled and not stale:
        yield Result(Status.PASS, f"{len(labelled)} nodes carry GPU labels", None, evidence)
    elif telling and not labelled:
        reason = f"a DRA driver publishes the GPUs of {len(telling)} nodes; no label is needed"
        yield Result(Status.PASS, reason)
    elif not labelled:
        yield Result(Status.WARN, "no node carries a GPU label, and a GPU is wanted")


def _labels(node: Node) -> Evidence:
    found = gpu.labels(node)
    shown = [key for key in (*gpu.PRODUCT_LABELS, *gpu.COUNT_LABELS) if key in found]
    return Evidence("node", f"Node {node.name}", ", ".join(f"{k}={found[k]}" for k in shown))


def _stale(case: Case, node: Node) -> Iterator[Result]:
    """Older than what offers the GPUs, or of another driver than the exporter meets."""
    subject = Subject("Node", "", node.name)
    written = _time(node.labels.get(TIMESTAMP, ""))
    started = _started(case).get(node.name)
    if written and started and started - written > SLACK:
        reason = (
            f"labels of {node.name} are of {written:%Y-%m-%d %H:%M} UTC, and its device plugin "
            "has started anew since: GPU feature discovery may be dead"
        )
        yield Result(Status.WARN, reason, subject, (_labels(node),))
    labelled = driver_of_labels(node)
    met = next((each.driver for each in of_node(case, node.name) if each.driver), "")
    if labelled and met and str(labelled[0]) != met.partition(".")[0]:
        reason = f"labels of {node.name} tell driver {labelled[0]}, its exporter meets {met}"
        yield Result(Status.WARN, reason, subject, (_labels(node),))


@once_per_case
def _started(case: Case) -> dict[str, datetime]:
    """When what offers GPUs last started on each node."""
    found: dict[str, datetime] = {}
    for view in of_role(case, gpu.PLUGIN):
        for pod in view.pods:
            for status in pod.status.container_statuses or ():
                began = status.state.running.started_at if status.state.running else None
                if began:
                    node = pod.spec.node_name or ""
                    found[node] = max(found.get(node, began), began)
    return found


def _time(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), tz=timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


CHECKS = (
    Check(
        id="gpu-nodes-labelled",
        title="GPU nodes carry their labels",
        severity=Severity.WARNING,
        needs=("Node",),
        run=nodes_labelled,
    ),
)
