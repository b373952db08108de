"""Why the scheduler leaves a pod pending: from its own sentence, and from the nodes' state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import condition, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod

# `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {k: v}. …`
REASONS = re.compile(r"(?P<count>\d+) (?P<text>(?:(?!, \d+ |\. ).)+)")

SELECTOR = re.compile(r"didn't match (?:Pod's )?node (?:affinity|selector)")
TAINT = re.compile(r"had (?:untolerated )?taints? ?(?:\(s\) ?)?(?P<taint>\{[^}]*\}|\S+)|had taint")
INSUFFICIENT = re.compile(
    r"Insufficient (?P<what>cpu|memory|ephemeral-storage)|(?P<pods>Too many pods)"
)
NODE_TAINT = re.compile(r"node\.(?:kubernetes\.io|cloudprovider\.kubernetes\.io)/")
CORDONED = re.compile(r"were unschedulable")


def unschedulable(case: Case) -> Iterable[Finding]:
    """The reason that keeps most nodes away; a node's own trouble is told by the node."""
    for view in case.workloads:
        for pod in view.pods:
            sentence = refusal(pod)
            if sentence is None:
                continue
            finding = _of_sentence(view, pod, sentence)
            if finding is not None:
                yield finding
                break


def refusal(pod: Pod) -> str | None:
    """The scheduler's sentence about a pod that is still pending."""
    scheduled = condition(pod, "PodScheduled")
    if is_well(pod) or scheduled is None or scheduled.status != "False":
        return None
    return scheduled.message


def _of_sentence(view: WorkloadView, pod: Pod, sentence: str) -> Finding | None:
    reasons = sentence.partition("available: ")[2].partition(" preemption:")[0]
    best: tuple[int, str, dict[str, str]] | None = None
    for match in REASONS.finditer(reasons):
        found = _classify(match["text"])
        if found and (best is None or int(match["count"]) > best[0]):
            best = (int(match["count"]), *found)
    if best is None:
        return None
    subject = Subject("Pod", pod.namespace, pod.name)
    selector = ", ".join(f"{k}={v}" for k, v in (view.spec.node_selector or {}).items())
    return Finding(
        best[1],
        view.subject,
        Certainty.CERTAIN,
        (Evidence("status", str(subject), sentence),),
        {"selector": selector or "affinity", **best[2]},
    )


def _classify(text: str) -> tuple[str, dict[str, str]] | None:
    if NODE_TAINT.search(text):
        return None
    if SELECTOR.search(text):
        return "node-selector-unmatched", {}
    if match := TAINT.search(text):
        return "untolerated-taint", {"taint": (match["taint"] or text).strip("{}")}
    if match := INSUFFICIENT.search(text):
        return "insufficient-cpu-or-memory", {"what": match["what"] or "room for pods"}
    return None


def cordoned(case: Case) -> Iterable[Finding]:
    """A cordoned node is somebody's intention, until pods wait for it."""
    waiting = [
        (view, sentence)
        for view in case.workloads
        for pod in view.pods
        if (sentence := refusal(pod)) and CORDONED.search(sentence)
    ]
    for node in case.snapshot.nodes if waiting else ():
        if node.spec.unschedulable:
            yield Finding(
                "node-cordoned",
                Subject("Node", "", node.name),
                Certainty.CERTAIN,
                (
                    Evidence("node", f"Node {node.name}", "spec.unschedulable: true"),
                    Evidence("status", str(waiting[0][0].subject), waiting[0][1]),
                ),
                {"node": node.name},
                tuple({view.subject for view, _ in waiting}),
            )


def troubled_nodes(case: Case) -> Iterable[Finding]:
    """A node's conditions; what its pods, and pods that find no other, suffer, is explained."""
    for node in case.snapshot.nodes:
        for cause, name, message in _troubles(node.status.conditions or ()):
            subject = Subject("Node", "", node.name)
            yield Finding(
                cause,
                subject,
                Certainty.CERTAIN,
                (Evidence("node", str(subject), f"{name}: {message}"),),
                {"node": node.name, "condition": name},
                tuple(_sufferers(case, node.name)) or (subject,),
            )


def _troubles(conditions: Iterable[object]) -> Iterator[tuple[str, str, str]]:
    for each in conditions:
        name, status = str(getattr(each, "type", "")), getattr(each, "status", "")
        message = (
            f"{getattr(each, 'reason', '') or ''} {getattr(each, 'message', '') or ''}".strip()
        )
        if name == "Ready" and status in ("False", "Unknown"):
            if re.search(
                r"container runtime (?:is down|status check)|PLEG is not healthy", message
            ):
                yield "container-runtime-down", name, message
            elif re.search(r"cni plugin not initialized|[Nn]etwork ?[Pp]lugin", message):
                yield "network-plugin-not-ready", name, message
            else:
                yield "node-not-ready", name, message
        elif name in ("MemoryPressure", "DiskPressure", "PIDPressure") and status == "True":
            yield "node-pressure", name, message


def _sufferers(case: Case, node: str) -> Iterator[Subject]:
    for view in case.workloads:
        placed = [pod.spec.node_name for pod in view.pods if not is_well(pod)]
        if any(name in (node, None, "") for name in placed):
            yield view.subject


DETECTORS = (
    Detector(
        ("node-selector-unmatched", "untolerated-taint", "insufficient-cpu-or-memory"),
        ("Pod",),
        unschedulable,
    ),
    Detector(("node-cordoned",), ("Pod", "Node"), cordoned),
    Detector(
        ("container-runtime-down", "network-plugin-not-ready", "node-not-ready", "node-pressure"),
        ("Node",),
        troubled_nodes,
    ),
)
