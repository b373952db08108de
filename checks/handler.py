"""Runtime handlers: can the nodes start what a RuntimeClass asks for?

A RuntimeClass object proves nothing: K3s creates a dozen on every cluster. Proof is, in rising
order: the node lists the handler (``status.runtimeHandlers``: Kubernetes ≥ 1.31 with containerd
≥ 2.0 or CRI-O ≥ 1.30), or a pod of that handler runs there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import is_ready, is_well
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
from kubectl_wasmai.wasm import is_native_handler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Event, Node, Pod, RuntimeClass

NOT_CONFIGURED = re.compile(
    r"no runtime for \"?[^\s\"]+\"? is configured"  # containerd, all versions
    r"|failed to find runtime handler \S+ from runtime list"  # CRI-O
    r"|RuntimeHandler \"[^\"]+\" not supported"  # cri-dockerd
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
    proofs = {node.name: _proof(case, node, handler) for node in _candidates(case, runtime_class)}
    lacking = [name for name, proof in proofs.items() if proof[0] is False]
    unproven = [name for name, proof in proofs.items() if proof[0] is None]
    evidence = tuple(each for _, each in proofs.values() if each)
    if lacking:
        reason = f"handler {handler} is missing on {_names(lacking)}"
        return Result(Status.FAIL, reason, view.subject, evidence)
    if unproven or not proofs:
        return Result(
            Status.UNKNOWN,
            f"{_names(unproven) or 'no node'} does not report its handlers, and no pod of "
            f"handler {handler} runs there",
            view.subject,
            evidence,
            needs="node.status.runtimeHandlers (containerd 2.0 or CRI-O 1.30) or a running pod",
        )
    return Result(
        Status.PASS,
        f"handler {handler} is available on {_names(list(proofs))}",
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
        return Result(
            Status.UNKNOWN,
            "the nodes do not report their handlers, and no Wasm pod runs yet",
            needs="node.status.runtimeHandlers (containerd 2.0 or CRI-O 1.30) or a running pod",
        )
    return Result(Status.WARN, f"no node has a handler of these: {', '.join(sorted(wanted))}")


def missing_handler(case: Case) -> Iterable[Finding]:
    """Where some nodes have the handler and others not, the node is at fault, else the class."""
    for view in case.workloads:
        runtime_class = _class_of(case, view)
        if runtime_class is None or all(is_well(pod) for pod in view.pods):
            continue
        nodes = _candidates(case, runtime_class)
        proofs = {node.name: _proof(case, node, runtime_class.handler) for node in nodes}
        lacking = {name: e for name, (has, e) in proofs.items() if has is False and e}
        names = {"handler": runtime_class.handler, "class": runtime_class.name}
        if lacking and any(has for has, _ in proofs.values()):
            for name, evidence in lacking.items():
                if _suffers(view, name):
                    yield Finding(
                        "handler-missing-on-some-nodes",
                        Subject("Node", "", name),
                        Certainty.CERTAIN,
                        (evidence,),
                        {**names, "node": name},
                        (view.subject,),
                    )
        elif lacking and len(lacking) == len(proofs):
            yield Finding(
                "handler-not-configured",
                view.subject,
                Certainty.CERTAIN,
                tuple(lacking.values()),
                names,
            )


def _suffers(view: WorkloadView, node: str) -> bool:
    return any(pod.spec.node_name == node and not is_well(pod) for pod in view.pods)


def _class_of(case: Case, view: WorkloadView) -> RuntimeClass | None:
    return case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")


def _candidates(case: Case, runtime_class: RuntimeClass) -> tuple[Node, ...]:
    """Nodes that the class's own scheduling allows."""
    selector = (runtime_class.scheduling and runtime_class.scheduling.node_selector) or {}
    return tuple(
        node
        for node in case.snapshot.nodes
        if all(node.labels.get(key) == value for key, value in selector.items())
    )


def reported_handlers(node: Node) -> set[str]:
    """Named handlers a node reports; empty means "does not report", never "has none"."""
    handlers = node.status.runtime_handlers or ()
    return {each.name or "(default)" for each in handlers}


def _proof(case: Case, node: Node, handler: str) -> tuple[bool | None, Evidence | None]:
    """Whether the node has the handler, as far as anything proves it."""
    for pod in _pods_on(case, node, handler):
        subject = Subject("Pod", pod.namespace, pod.name)
        if is_ready(pod):
            return True, Evidence("status", str(subject), f"Ready on {node.name}")
        refused = _refusal(case.snapshot.events_of(*subject))
        if refused and not is_well(pod):
            return False, Evidence("event", str(subject), refused.message or "", refused.last_seen)
    reported = reported_handlers(node)
    if not reported:
        return None, None
    listing = ", ".join(sorted(reported))
    return handler in reported, Evidence(
        "node", f"Node {node.name}", f"runtimeHandlers lists {listing}"
    )


def _pods_on(case: Case, node: Node, handler: str) -> Iterable[Pod]:
    """Pods of this handler on this node, by their own class: a rollout may be changing it."""
    classes = case.snapshot.runtime_classes
    for view in case.workloads:
        for pod in view.pods:
            runtime_class = classes.get(pod.spec.runtime_class_name or "")
            if runtime_class is None or runtime_class.handler != handler:
                continue
            if pod.spec.node_name == node.name:
                yield pod


def _refusal(events: tuple[Event, ...]) -> Event | None:
    refusals = [event for event in events if NOT_CONFIGURED.search(event.message or "")]
    return refusals[-1] if refusals else None


def _names(nodes: list[str], most: int = 3) -> str:
    more = f" and {len(nodes) - most} more" if len(nodes) > most else ""
    return ", ".join(nodes[:most]) + more


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
