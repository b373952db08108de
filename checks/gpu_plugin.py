"""The device plugin: does it run where GPUs are, and does the node offer them thanks to it?

``node.status`` is the truth: where a node offers its GPUs, its plugin is well, whoever installed
it (EKS and AKS have it built into the node). A plugin that found nothing waits for ever and looks
healthy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import (
    REGISTERED,
    crash,
    is_young,
    of_role,
    offering,
    offers_now,
    said,
)

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.health import is_leaving, is_ready
from kubectl_wasmai.doctor.model import Case, Certainty, Evidence, Finding, Subject
from kubectl_wasmai.doctor.placement import nodes_by_name, selects, untolerated
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.checks.gpu_demand import Shortage

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Node, Pod


def plugin_findings(case: Case, lacking: Iterable[Shortage]) -> Iterator[Finding]:
    """Of every vendor's device plugin; pods that lack a GPU because of it are its workloads."""
    by_vendor: dict[str, list[WorkloadView]] = {}
    for view in of_role(case, gpu.PLUGIN):
        by_vendor.setdefault(gpu.component_vendor(view), []).append(view)
    for vendor, views in by_vendor.items():
        waiting = tuple(
            sorted({each.workload for each in lacking if suffers(each) and each.vendor == vendor})
        )
        # GKE has one DaemonSet for each kind of node: one that selects nothing is no fault.
        if all(_desired(case, view) == 0 for view in views):
            yield from _not_scheduled(case, views[0], vendor, waiting)
        for view in views:
            yield from _of_view(case, view, vendor, waiting)


def suffers(shortage: Shortage) -> bool:
    """Whether a plugin that does not work would explain it."""
    return shortage.kind in ("absent", "sick", "unclear")


def _desired(case: Case, view: WorkloadView) -> int | None:
    daemon_set = case.snapshot.workload(*view.subject)
    if daemon_set is None or view.pods:
        return len(view.pods) or None
    return daemon_set.status.desired_number_scheduled


def _not_scheduled(
    case: Case, view: WorkloadView, vendor: str, waiting: tuple[Subject, ...]
) -> Iterator[Finding]:
    """Only where somebody misses it: on a cluster without GPUs it rightly selects nothing."""
    with_gpu = [node for node in case.snapshot.nodes if gpu.shows_gpu(node)]
    if offering(case, vendor) or not (waiting or with_gpu):
        return
    blocked = {
        f"{taint.key}:{taint.effect}"
        for node in with_gpu or case.snapshot.nodes
        for taint in untolerated(view.spec, node)
    }
    names = {"selector": _selector(view), "taints": ", ".join(sorted(blocked)) or "none in the way"}
    missing = _missing_label(view, [*with_gpu, *case.snapshot.nodes])
    yield Finding(
        "device-plugin-not-scheduled",
        view.subject,
        Certainty.CERTAIN,
        (Evidence("status", str(view.subject), "desiredNumberScheduled: 0"),),
        {**names, **missing},
        (*waiting, view.subject),
    )


def _selector(view: WorkloadView) -> str:
    pairs = [f"{key}={value}" for key, value in sorted((view.spec.node_selector or {}).items())]
    affinity = view.spec.affinity.node_affinity if view.spec.affinity else None
    for term in (
        ((affinity.required and affinity.required.node_selector_terms) or ()) if affinity else ()
    ):
        pairs += [f"{each.key} {each.operator}" for each in term.match_expressions or ()]
    return ", ".join(pairs) or "every node"


def _missing_label(view: WorkloadView, nodes: list[Node]) -> dict[str, str]:
    if not nodes or selects(view.spec, nodes[0]):
        return {}
    for key, value in sorted((view.spec.node_selector or {}).items()):
        if nodes[0].labels.get(key) != value:
            return {"node": nodes[0].name, "label": f"{key}={value}"}
    return {}


def _of_view(
    case: Case, view: WorkloadView, vendor: str, waiting: tuple[Subject, ...]
) -> Iterator[Finding]:
    pods = [pod for pod in view.pods if _matters(case, pod, vendor)]
    idle = [pod for pod in pods if _lacks(case, pod, vendor)]
    missed = [pod for pod in idle if waiting or _should_have(case, pod)]
    told = [each for each in said(case, view, quiet=missed) if pods or not view.pods]
    for each in told:
        yield blaming(each, waiting)
    if any(each.cause != "gpu-hardware-fault" for each in told):
        return
    crashed = [found for pod in pods if (found := crash(case.snapshot, pod))]
    crashed = crashed or [
        found for pod in idle if (found := crash(case.snapshot, pod, even_ready=True))
    ]
    if crashed:
        crashing = Finding(
            "device-plugin-crashing", view.subject, Certainty.CERTAIN, tuple(crashed[:3])
        )
        yield blaming(crashing, waiting)
    elif idle and all(_looks_idle(case, pod, waiting) for pod in idle):
        yield blaming(_silent(view, idle), waiting)


def _matters(case: Case, pod: Pod, vendor: str) -> bool:
    """Not on a node without a GPU, of a plugin that serves the others."""
    serving = offering(case, vendor)
    node = _node(case, pod)
    if not serving or node is None or node.name in serving:
        return not is_leaving(pod)
    return not is_leaving(pod) and gpu.shows_gpu(node)


def _lacks(case: Case, pod: Pod, vendor: str) -> bool:
    """Whether the node of the pod offers fewer than it should."""
    node = _node(case, pod)
    if node is None:
        return not case.snapshot.has("Node")
    fewer = any(
        allocatable < capacity
        for name, (capacity, allocatable) in gpu.offers(node).items()
        if gpu.vendor(name) == vendor
    )
    return fewer or not offers_now(node, vendor)


def _should_have(case: Case, pod: Pod) -> bool:
    """Whether the pod's node has a GPU, as far as one sees: on others a plugin rightly waits."""
    node = _node(case, pod)
    return node is None or bool(gpu.offers(node)) or gpu.shows_gpu(node)


def _looks_idle(case: Case, pod: Pod, waiting: tuple[Subject, ...]) -> bool:
    """Ready for a while on a node that has no GPU to offer, and should have one."""
    node = _node(case, pod)
    if not is_ready(pod) or node is None or (is_young(case.snapshot, pod) and not waiting):
        return False
    if gpu.offers(node) or not (waiting or gpu.shows_gpu(node)):
        return False
    logs = [
        case.snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name), "")
        for container in pod.spec.containers or ()
    ]
    return not any(REGISTERED in log for log in logs)


def _silent(view: WorkloadView, idle: list[Pod]) -> Finding:
    pod = idle[0]
    text = f"Ready on {pod.spec.node_name}, which offers no GPU"
    evidence = Evidence("status", str(Subject("Pod", pod.namespace, pod.name)), text)
    return Finding("device-plugin-no-devices", view.subject, Certainty.LIKELY, (evidence,))


def _node(case: Case, pod: Pod) -> Node | None:
    return nodes_by_name(case).get(pod.spec.node_name or "")


def blaming(finding: Finding, waiting: tuple[Subject, ...]) -> Finding:
    """With the pods that lack a GPU because of it, besides the component itself."""
    subjects = {*waiting, *finding.affected}
    return replace(finding, workloads=tuple(sorted(subjects)))
