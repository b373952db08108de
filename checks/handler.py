"""Runtime handlers: can the nodes start what a RuntimeClass asks for?

A RuntimeClass object proves nothing: K3s creates a dozen on every cluster. Proof is, in rising
order: the node lists the handler (``status.runtimeHandlers``: Kubernetes ≥ 1.31 with containerd
≥ 2.0 or CRI-O ≥ 1.30), or a pod of that handler runs there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.doctor.answers import named
from kubectl_wasmai.doctor.health import container_statuses, is_ready, is_well
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
from kubectl_wasmai.doctor.versions import runs_k3s
from kubectl_wasmai.wasm import K3S_CLASSES, is_native_handler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import Event, Node, Pod, PodSpec, RuntimeClass

NEEDS = "node.status.runtimeHandlers (containerd 2.0 or CRI-O 1.30) or a running pod"
MOST_EVIDENCE = 5
UNSEEN = "ContainerStatusUnknown"
"""The kubelet's word for a container of which it does not know whether it ever was."""
NOT_CONFIGURED = re.compile(
    r"no runtime for \"?([^\s\"]+)\"? is configured"  # containerd, all versions
    r"|failed to find runtime handler (\S+) from runtime list"  # CRI-O
    r"|RuntimeHandler \"([^\"]+)\" not supported"  # cri-dockerd
)


def handler_available(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield _on_any_node(case)
    for view in case.workloads:
        runtime_class = _class_of(case, view)
        if runtime_class is None:
            yield Result(Status.SKIP, "names no existing RuntimeClass", view.subject)
        else:
            yield _for_workload(case, view, runtime_class)


def _for_workload(case: Case, view: WorkloadView, runtime_class: RuntimeClass) -> Result:
    handler = runtime_class.handler
    found = _seen(case).on_nodes_for(view, runtime_class)
    lacking, unproven, evidence = list(found.lacking), found.unproven, found.evidence
    if lacking:
        spared = found.is_served and not _suffering(view, found)
        reason = f"handler {handler} is missing on {named(lacking)}"
        reason += ", where a pod may land" if spared else ""
        return Result(Status.WARN if spared else Status.FAIL, reason, view.subject, evidence)
    if not found.proofs:
        reason = "no node is left by the class's and the pods' selectors and tolerations"
        return Result(Status.UNKNOWN, reason, view.subject, needs="a node that may take the pods")
    if unproven:
        return Result(
            Status.UNKNOWN,
            f"{named(unproven)} {'does' if len(unproven) == 1 else 'do'} not report handlers, and "
            f"no pod of handler {handler} runs there{_on_k3s(case, runtime_class)}",
            view.subject,
            evidence,
            needs=NEEDS,
        )
    return Result(
        Status.PASS,
        f"handler {handler} is available on {named(list(found.proofs))}",
        view.subject,
        evidence,
    )


def _on_any_node(case: Case) -> Result:
    """Nothing is deployed yet: does any node offer a handler that runs Wasm?"""
    wanted = {
        each.handler
        for each in case.snapshot.runtime_classes.values()
        if not is_native_handler(each.handler)
    }
    reports = {node.name: reported_handlers(node) for node in case.snapshot.nodes}
    for name, handlers in reports.items():
        for handler in sorted(handlers & wanted):
            evidence = Evidence("node", f"Node {name}", f"runtimeHandlers lists {handler}")
            return Result(Status.PASS, f"handler {handler} is configured", None, (evidence,))
    if not wanted:
        return Result(Status.SKIP, "no RuntimeClass for WebAssembly exists yet")
    if not all(reports.values()):
        reason = "the nodes do not report their handlers, and no Wasm pod runs yet"
        return Result(Status.UNKNOWN, reason, needs=NEEDS)
    return Result(Status.WARN, f"no node has a handler of these: {', '.join(sorted(wanted))}")


def missing_handler(case: Case) -> Iterable[Finding]:
    """Where some nodes have the handler and others not, the node is at fault, else the class."""
    for view in case.workloads:
        runtime_class = _class_of(case, view)
        if runtime_class is None or all(is_well(pod) for pod in view.pods):
            continue
        found = _seen(case).on_nodes_for(view, runtime_class)
        names = {"handler": runtime_class.handler, "class": runtime_class.name}
        if found.is_served:
            for name in _suffering(view, found):
                yield Finding(
                    "handler-missing-on-some-nodes",
                    Subject("Node", "", name),
                    Certainty.CERTAIN,
                    (found.lacking[name],),
                    {**names, "node": name},
                    (view.subject,),
                )
        elif found.lacking and len(found.lacking) == len(found.proofs):
            yield Finding(
                "handler-not-configured",
                view.subject,
                Certainty.CERTAIN,
                found.evidence,
                names,
            )


def _suffering(view: WorkloadView, found: _OnNodes) -> list[str]:
    """Nodes without the handler on which pods of the workload fail."""
    failing = {pod.spec.node_name for pod in view.pods if not is_well(pod)}
    return sorted(name for name in failing if name in found.lacking)


def _class_of(case: Case, view: WorkloadView) -> RuntimeClass | None:
    return case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")


def _on_k3s(case: Case, runtime_class: RuntimeClass) -> str:
    premade = runtime_class.name in K3S_CLASSES and runs_k3s(case.snapshot)
    return "; K3s makes this class on every cluster, whatever the nodes have" if premade else ""


def reported_handlers(node: Node) -> set[str]:
    """Named handlers a node reports; empty means "does not report", never "has none"."""
    handlers = node.status.runtime_handlers or ()
    return {each.name or "(default)" for each in handlers}


@dataclass(frozen=True)
class _OnNodes:
    """Whether each of some nodes has a handler, and what shows it."""

    proofs: dict[str, tuple[bool | None, Evidence | None]]

    @cached_property
    def lacking(self) -> dict[str, Evidence]:
        return {name: told for name, (has, told) in self.proofs.items() if has is False and told}

    @cached_property
    def unproven(self) -> list[str]:
        return [name for name, (has, _) in self.proofs.items() if has is None]

    @cached_property
    def is_served(self) -> bool:
        return any(has for has, _ in self.proofs.values())

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of nodes that lack it first; some of a thousand nodes are enough."""
        others = (told for _, told in self.proofs.values() if told)
        return tuple(dict.fromkeys((*self.lacking.values(), *others)))[:MOST_EVIDENCE]


@once_per_case
def _seen(case: Case) -> _Seen:
    return _Seen(case.snapshot)


class _Seen:
    """All pods by their node and handler: what they show of it."""

    def __init__(self, snapshot: ClusterSnapshot) -> None:
        self._snapshot = snapshot
        self._nodes = {node.name: node for node in snapshot.nodes}
        self._known: dict[tuple[str, bytes], _OnNodes] = {}
        self._pods: dict[tuple[str, str], list[Pod]] = {}
        for pod in snapshot.pods:
            # By the pod's own class: a rollout may be changing the template's.
            runtime_class = snapshot.runtime_classes.get(pod.spec.runtime_class_name or "")
            if runtime_class is not None and pod.spec.node_name:
                key = (pod.spec.node_name, runtime_class.handler)
                self._pods.setdefault(key, []).append(pod)

    def on_nodes_for(self, view: WorkloadView, runtime_class: RuntimeClass) -> _OnNodes:
        """Of the nodes that the class's scheduling and the pods' own allow, and those the pods
        are on. Workloads that may run on the same nodes share the answer.

        Admission merges the class's selector and tolerations into the pods, not into the
        template. A node in trouble stays one: it may recover, and take pods again.
        """
        spec = view.spec
        asked = msgspec.json.encode((spec.node_selector, spec.affinity, spec.tolerations))
        if (runtime_class.name, asked) not in self._known:
            self._known[runtime_class.name, asked] = self._on_nodes(spec, runtime_class)
        found = self._known[runtime_class.name, asked]
        used = {pod.spec.node_name or "" for pod in view.pods}
        others = used.intersection(self._nodes).difference(found.proofs)
        if not others:
            return found
        handler = runtime_class.handler
        more = {name: self.proof(self._nodes[name], handler) for name in sorted(others)}
        return _OnNodes({**found.proofs, **more})

    def _on_nodes(self, spec: PodSpec, runtime_class: RuntimeClass) -> _OnNodes:
        merged = as_admitted(spec, runtime_class)
        return _OnNodes(
            {
                node.name: self.proof(node, runtime_class.handler)
                for node in self._snapshot.nodes
                if takes(merged, node)
            }
        )

    def proof(self, node: Node, handler: str) -> tuple[bool | None, Evidence | None]:
        """Whether the node has the handler, as far as anything proves it."""
        for pod in self._pods.get((node.name, handler), ()):
            subject = Subject("Pod", pod.namespace, pod.name)
            sign = shown(pod)
            if sign:
                return True, Evidence("status", str(subject), f"{sign} on {node.name}")
            refused = refusal(self._snapshot.events_of(*subject))
            if refused and not is_well(pod):
                text, time = refused.message or "", refused.last_seen
                return False, Evidence("event", str(subject), text, time)
        reported = reported_handlers(node)
        if not reported:
            return None, None
        text = f"runtimeHandlers lists {', '.join(sorted(reported))}"
        return handler in reported, Evidence("node", f"Node {node.name}", text)


def shown(pod: Pod) -> str:
    """What shows that a sandbox was made for the pod: a container that runs, or ever did."""
    if is_ready(pod):
        return "Ready"
    for status in container_statuses(pod):
        for state in (status.state, status.last_state):
            ended = state.terminated and state.terminated.reason != UNSEEN
            if state.running or ended:
                return "started"
    return ""


def refusal(events: tuple[Event, ...]) -> Event | None:
    refusals = [event for event in events if NOT_CONFIGURED.search(event.message or "")]
    return refusals[-1] if refusals else None


CHECKS = (
    Check(
        id="runtime-handler-available",
        title="The nodes have a runtime handler for WebAssembly",
        severity=Severity.ERROR,
        needs=("RuntimeClass", "Node", "Pod", "Event"),
        run=handler_available,
        depends_on=("runtimeclass-exists",),
    ),
)
DETECTORS = (
    Detector(
        ("handler-not-configured", "handler-missing-on-some-nodes"),
        ("RuntimeClass", "Node", "Pod", "Event"),
        missing_handler,
    ),
)
