"""Handlers that some nodes lack, told by the pods alone: for those who may see no node or class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.handler import NOT_CONFIGURED, refusal, shown

from kubectl_wasmai.doctor.health import is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod


def refused_on_some_nodes(case: Case) -> Iterable[Finding]:
    """A class whose pods run on one node and are refused on another."""
    if case.snapshot.has("RuntimeClass") and case.snapshot.has("Node"):
        return  # they tell more: handler.py
    placed = [(v, p) for v in case.workloads for p in v.pods if p.spec.node_name]
    for class_ in sorted({pod.spec.runtime_class_name or "" for _, pod in placed} - {""}):
        of_class = [(v, p) for v, p in placed if p.spec.runtime_class_name == class_]
        serving = {pod.spec.node_name for _, pod in of_class if shown(pod)}
        for view, pod in of_class if serving else ():
            if pod.spec.node_name not in serving and not is_well(pod):
                yield from _refused(case, view, pod)


def _refused(case: Case, view: WorkloadView, pod: Pod) -> Iterable[Finding]:
    subject, node = Subject("Pod", pod.namespace, pod.name), pod.spec.node_name or ""
    event = refusal(case.snapshot.events_of(*subject))
    if event is None:
        return
    text = event.message or ""
    found = NOT_CONFIGURED.search(text)
    handler = next((each for each in (found.groups() if found else ()) if each), "")
    yield Finding(
        "handler-missing-on-some-nodes",
        Subject("Node", "", node),
        Certainty.CERTAIN,
        (Evidence("event", str(subject), text, event.last_seen),),
        {"node": node, "class": pod.spec.runtime_class_name or "", "handler": handler},
        (view.subject,),
    )


DETECTORS = (Detector(("handler-missing-on-some-nodes",), ("Pod", "Event"), refused_on_some_nodes),)
