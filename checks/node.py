"""Nodes: are they able to run what is placed on them?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.answers import counted
from kubectl_wasmai.doctor.health import is_finished, is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Detector,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.placement import as_admitted, takes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Condition, Node

# pkg/kubelet/runtime.go: what the kubelet collects into the Ready condition's message.
_RUNTIME = re.compile(
    r"container runtime is down|container runtime status check may not have completed"
    r"|PLEG is not healthy|container runtime not ready: RuntimeReady=false"
)
_NETWORK = re.compile(r"NetworkReady=false|NetworkPluginNotReady|cni (?:plugin|config)")
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
EVICTED = re.compile(r"The node (?:was low on resource|had condition): ")


class Trouble(NamedTuple):
    """What a node's own conditions say is wrong with it."""

    cause: str
    evidence: Evidence


def trouble(node: Node) -> Trouble | None:
    """The gravest one. A node that is merely cordoned is in no trouble."""
    conditions = {each.type: each for each in node.status.conditions or ()}
    ready = conditions.get("Ready")
    if ready is not None and ready.status != "True":
        return Trouble(_why_not_ready(ready), _said(node, ready))
    network = conditions.get("NetworkUnavailable")
    if network is not None and network.status == "True":
        return Trouble("network-plugin-not-ready", _said(node, network))
    for type_ in PRESSURES:
        pressure = conditions.get(type_)
        if pressure is not None and pressure.status == "True":
            return Trouble("node-pressure", _said(node, pressure))
    return None


def _why_not_ready(ready: Condition) -> str:
    """A runtime that is down cannot tell of its network either: it goes first."""
    text = ready.message or ""
    if _RUNTIME.search(text):
        return "container-runtime-down"
    return "network-plugin-not-ready" if _NETWORK.search(text) else "node-not-ready"


def _said(node: Node, condition: Condition) -> Evidence:
    text = f"{condition.type}={condition.status}: {condition.message or condition.reason or ''}"
    return Evidence("status", f"Node {node.name}", text, condition.last_transition_time)


def nodes_ready(case: Case) -> Iterable[Result]:
    if not case.snapshot.nodes:
        yield Result(Status.UNKNOWN, "no node is in sight", needs="kubectl get nodes -o json")
    bad = [(node, found) for node in case.snapshot.nodes if (found := trouble(node))]
    for node, found in bad:
        status = Status.WARN if _certainty(case, node) is Certainty.POSSIBLE else Status.FAIL
        yield Result(status, found.evidence.text, Subject("Node", "", node.name), (found.evidence,))
    if case.snapshot.nodes and not bad:
        yield Result(Status.PASS, f"{counted(len(case.snapshot.nodes), 'node')} ready")


def sick_nodes(case: Case) -> Iterable[Finding]:
    """Every node in trouble; how sure it is that this hurts a workload of interest differs."""
    for node in case.snapshot.nodes:
        found = trouble(node)
        if found is None:
            continue
        touched = tuple(view.subject for view in _touched(case).get(node.name, ()))
        yield Finding(
            found.cause,
            Subject("Node", "", node.name),
            _certainty(case, node),
            (found.evidence,),
            {"node": node.name},
            touched,
        )


def _certainty(case: Case, node: Node) -> Certainty:
    """A node of other people's may be in trouble for its owner's reasons. One that is down and
    that a workload of interest could be on is lost to it; pressure comes and goes."""
    if node.name in _touched(case):
        return Certainty.CERTAIN
    if not case.snapshot.has("Pod"):
        return Certainty.LIKELY  # nobody can tell whom it hurts
    found = trouble(node)
    down = found is not None and found.cause != "node-pressure"
    missed = down and any(_is_for(case, view, node) for view in case.workloads)
    return Certainty.LIKELY if missed else Certainty.POSSIBLE


def _is_for(case: Case, view: WorkloadView, node: Node) -> bool:
    runtime_class = case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")
    return takes(as_admitted(view.spec, runtime_class), node)


@once_per_case
def _touched(case: Case) -> dict[str, list[WorkloadView]]:
    """By node those with a pod there, be it on its way out: a dead kubelet never lets it go."""
    found: dict[str, list[WorkloadView]] = {}
    for view in case.workloads:
        on = {pod.spec.node_name: None for pod in view.pods if not is_finished(pod)}
        for name in filter(None, on):
            found.setdefault(name, []).append(view)
    return found


def evictions(case: Case) -> Iterator[Finding]:
    """Pods the kubelet threw out and nothing has replaced."""
    for view in case.workloads:
        for pod in view.pods:
            text = pod.status.message or ""
            if pod.status.reason == "Evicted" and EVICTED.match(text) and not is_well(pod):
                subject = Subject("Pod", pod.namespace, pod.name)
                yield Finding(
                    "node-pressure",
                    Subject("Node", "", pod.spec.node_name or ""),
                    Certainty.CERTAIN,
                    (Evidence("status", str(subject), text),),
                    {"node": pod.spec.node_name or "<node>"},
                    (view.subject,),
                )


CHECKS = (
    Check(
        id="nodes-ready",
        title="The nodes are ready and not short of anything",
        severity=Severity.ERROR,
        needs=("Node",),
        run=nodes_ready,
    ),
)
DETECTORS = (
    Detector(
        (
            "node-not-ready",
            "container-runtime-down",
            "network-plugin-not-ready",
            "node-pressure",
            "node-cordoned",
        ),
        ("Node",),
        sick_nodes,
    ),
    Detector(("node-pressure",), ("Pod",), evictions),
)
