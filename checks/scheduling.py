"""Pods that no node takes: which obstacle, if it were gone, would let them run?

The scheduler reports for each node the first reason it met, so a node that is tainted *and* of
another pool reads as tainted. Where nodes are known the obstacles are therefore found in the
nodes themselves, and the message only says which resource is short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from kubectl_wasmai.checks.node import trouble

from kubectl_wasmai.doctor.health import condition, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.doctor.placement import BY_KUBERNETES, selects, untolerated
from kubectl_wasmai.doctor.quantity import amount, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Node, Pod

_REASONS = re.compile(r"nodes are available: (?P<list>.*?)(?:\. |\.$|$)", re.DOTALL)
_ITEM = re.compile(r",\s+(?=\d+ )")
_SHORT = re.compile(r"Insufficient (?P<resource>cpu|memory|ephemeral-storage|pods)\b|Too many pods")
# Kubernetes 1.33 and newer no longer say which taint.
_TAINT = re.compile(r"taint(?:\(s\))? \{(?P<key>[^:}]*)|had untolerated taint\(s\)")
_CORDONED = "were unschedulable"
_SELECTOR = re.compile(r"didn't match (?:Pod's node affinity|node selector|node affinity)")
CONTROL_PLANE = "node-role.kubernetes.io/"
NATIVE = ("cpu", "memory", "ephemeral-storage", "pods", "hugepages-")


@dataclass(frozen=True)
class Unplaced:
    """A pod without a node, and the scheduler's last word about it."""

    view: WorkloadView
    pod: Pod
    evidence: Evidence

    @property
    def text(self) -> str:
        return self.evidence.text


def unplaced(case: Case) -> Iterator[Unplaced]:
    for view in case.workloads:
        for pod in view.pods:
            if pod.spec.node_name or is_well(pod):
                continue
            evidence = _last_word(case, pod)
            if evidence is not None:
                yield Unplaced(view, pod, evidence)


def _last_word(case: Case, pod: Pod) -> Evidence | None:
    subject = Subject("Pod", pod.namespace, pod.name)
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.status == "False" and scheduled.message:
        time = scheduled.last_transition_time
        return Evidence("status", str(subject), scheduled.message, time)
    events = [
        event
        for event in case.snapshot.events_of(*subject)
        if event.reason == "FailedScheduling" and event.message
    ]
    if not events:
        return None
    return Evidence("event", str(subject), events[-1].message or "", events[-1].last_seen)


def nowhere(case: Case) -> Iterable[Finding]:
    """Pods that ask for the same and are told the same wait for the same: judged once."""
    known: dict[tuple[bytes, str], tuple[_Verdict, ...]] = {}
    for each in unplaced(case):
        alike = (asked(each), each.text)
        if alike not in known:
            verdicts = _from_nodes(case, each) if case.snapshot.nodes else _from_text(each)
            known[alike] = tuple(verdicts)
        yield from (_finding(each, verdict) for verdict in known[alike])


class _Verdict(NamedTuple):
    """Why a pod waits; ``node`` is empty where the workload itself is at fault."""

    cause: str
    names: dict[str, str]
    node: str = ""
    certainty: Certainty = Certainty.CERTAIN


def asked(waiting: Unplaced) -> bytes:
    """All of the pod and its template that decides where it may run."""
    spec, template = waiting.pod.spec, waiting.view.spec
    return msgspec.json.encode(
        (
            *(spec.node_selector, spec.affinity, spec.tolerations, _requests(waiting.pod)),
            *(template.node_selector, template.runtime_class_name),
        )
    )


def _from_nodes(case: Case, waiting: Unplaced) -> Iterator[_Verdict]:
    spec = waiting.pod.spec
    devices = {
        name: wanted
        for name, wanted in _requests(waiting.pod).items()
        if not name.startswith(NATIVE)
    }
    offering = [node for node in case.snapshot.nodes if _offers(node, devices)]
    if not offering and "Insufficient " in waiting.text:
        return  # a matter of devices, not of this module
    # Otherwise the scheduler never came to ask for them.
    offering = offering or list(case.snapshot.nodes)
    matching = [node for node in offering if selects(spec, node)]
    if not matching:
        if spec.node_selector or spec.affinity:
            yield _Verdict("node-selector-unmatched", {"selector": _selector(waiting.pod)})
        return
    causes = {node.name: _obstacle(waiting, node) for node in matching}
    short = _short(waiting.text)
    # Of nodes with the devices, the message may mean those without.
    others = [node for node in matching if devices or causes[node.name] == "node-cordoned"]
    roomy = [node.name for node in others if _has_room(case, waiting.pod, node)]
    if short and not roomy:
        yield _Verdict("insufficient-cpu-or-memory", {"resources": ", ".join(short)})
        return
    if devices and any(not causes[name] for name in roomy):
        return  # a matter of devices, again
    if not short and "" in causes.values():
        # Nothing can be seen in a node that would do: the message alone knows.
        yield from _from_text(waiting)
        return
    chosen = next((c for c in _ORDER if c in causes.values()), "")
    if chosen == "untolerated-taint":
        taints = {f"{t.key}" for node in matching for t in untolerated(spec, node)}
        yield _Verdict(chosen, {"taint": ", ".join(sorted(taints))})
    elif chosen:
        names = (node.name for node in matching if causes[node.name] == chosen)
        yield from (_Verdict(chosen, {"node": name}, name) for name in names)


_ORDER = (
    "container-runtime-down",
    "network-plugin-not-ready",
    "node-not-ready",
    "node-cordoned",
    "node-pressure",
    "untolerated-taint",
    "control-plane",
)
"""What is most likely unintended comes first."""


def _obstacle(waiting: Unplaced, node: Node) -> str:
    """Why a node that matches does not take the pod; empty where nothing can be seen in it."""
    found = trouble(node)
    if found is not None and found.cause != "node-pressure":
        return str(found.cause)
    if node.spec.unschedulable:
        return "node-cordoned"
    keys = [taint.key for taint in untolerated(waiting.pod.spec, node)]
    if any(key.startswith(CONTROL_PLANE) for key in keys):
        return "control-plane"
    if found is not None and "-pressure" in " ".join([waiting.text, *keys]):
        return str(found.cause)
    own = [key for key in keys if not key.startswith(BY_KUBERNETES)]
    return "untolerated-taint" if own else ""


def _offers(node: Node, devices: dict[str, float]) -> bool:
    """Whether the node has the devices asked for; those without are a GPU's matter."""
    allocatable = node.status.allocatable or {}
    return all(amount(allocatable.get(name, 0)) >= wanted for name, wanted in devices.items())


def _requests(pod: Pod) -> dict[str, float]:
    total: dict[str, float] = {}
    for container in pod.spec.containers or ():
        resources = container.resources
        for name, value in {**(resources.limits or {}), **(resources.requests or {})}.items():
            total[name] = total.get(name, 0) + amount(value)
    return total


def _has_room(case: Case, pod: Pod, node: Node) -> bool:
    """For all but devices, as far as the pods on it are in sight."""
    taken: dict[str, float] = {"pods": 0}
    for other in case.snapshot.pods_by_node.get(node.name, ()):
        if other.status.phase not in ("Succeeded", "Failed"):
            for name, value in _requests(other).items():
                taken[name] = taken.get(name, 0) + value
    allocatable = node.status.allocatable or {}
    return all(
        taken.get(name, 0) + wanted <= amount(allocatable.get(name, 0))
        for name, wanted in _requests(pod).items()
        if name.startswith(NATIVE)
    )


def _from_text(waiting: Unplaced) -> Iterator[_Verdict]:
    """Without nodes: a node short of something had passed everything else."""
    reasons = _reasons(waiting.text)
    short = _short(waiting.text)
    devices = any(r.startswith("Insufficient ") and not _SHORT.match(r) for r, _ in reasons)
    if devices:
        return
    if short:
        yield _Verdict("insufficient-cpu-or-memory", {"resources": ", ".join(short)})
        return
    taints = [(m["key"] or "", n) for r, n in reasons if (m := _TAINT.search(r))]
    own = [(k, n) for k, n in taints if not k.startswith((BY_KUBERNETES, CONTROL_PLANE))]
    unmatched = sum(n for r, n in reasons if _SELECTOR.search(r))
    if own and sum(n for _, n in own) >= unmatched:
        keys = sorted({k for k, _ in own if k})
        taint = ", ".join(keys) or "that kubectl describe nodes shows"
        certainty = Certainty.CERTAIN if keys else Certainty.LIKELY
        yield _Verdict("untolerated-taint", {"taint": taint}, certainty=certainty)
    elif unmatched and not any(key.startswith(BY_KUBERNETES) for key, _ in taints):
        found = _unselected(waiting)
        hidden = any(_CORDONED in reason for reason, _ in reasons)
        # A node that is cordoned may well be of the right pool.
        yield found._replace(certainty=Certainty.POSSIBLE) if hidden else found


def _unselected(waiting: Unplaced) -> _Verdict:
    """Whose selector it is: what the pod has and its template has not, its class has added."""
    view, selector = waiting.view, waiting.pod.spec.node_selector or {}
    added = sorted(set(selector.items()) - set((view.spec.node_selector or {}).items()))
    class_ = view.spec.runtime_class_name
    if added and class_:
        words = ",".join(f"{key}={value}" for key, value in added)
        names = {"selector": words, "class": class_}
        return _Verdict("runtimeclass-no-matching-node", names, certainty=Certainty.LIKELY)
    return _Verdict("node-selector-unmatched", {"selector": _selector(waiting.pod)})


def _reasons(text: str) -> list[tuple[str, int]]:
    """``0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had …`` as pairs."""
    found = _REASONS.search(text.partition("preemption:")[0])
    items = _ITEM.split(found["list"]) if found else []
    pairs = [item.strip().partition(" ") for item in items]
    return [(reason, n) for count, _, reason in pairs if (n := whole(count)) is not None]


def _short(text: str) -> list[str]:
    """Resources of which some node that would do has too little, by name."""
    matches = [_SHORT.match(reason) for reason, _ in _reasons(text)]
    return list(dict.fromkeys(m["resource"] or "pods" for m in matches if m))


def _selector(pod: Pod) -> str:
    pairs = [f"{key}={value}" for key, value in sorted((pod.spec.node_selector or {}).items())]
    return ",".join(pairs) or "the required node affinity"


def _finding(waiting: Unplaced, verdict: _Verdict) -> Finding:
    workload = waiting.view.subject
    return Finding(
        verdict.cause,
        Subject("Node", "", verdict.node) if verdict.node else workload,
        verdict.certainty,
        (waiting.evidence,),
        verdict.names,
        (workload,) if verdict.node else (),
    )


DETECTORS = (
    Detector(
        ("insufficient-cpu-or-memory", "node-selector-unmatched", "untolerated-taint"),
        ("Pod",),
        nowhere,
    ),
)
