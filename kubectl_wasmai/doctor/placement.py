"""Whether a pod may be placed on a node: selectors, affinity and taints as the scheduler reads
them (k8s.io/component-helpers/scheduling/corev1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.quantity import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_wasmai.doctor.model import Case
    from kubectl_wasmai.snapshot.objects import (
        Node,
        NodeSelectorTerm,
        PodSpec,
        RuntimeClass,
        SelectorTerm,
        Taint,
        Toleration,
    )

KEEPING_AWAY = ("NoSchedule", "NoExecute")
BY_KUBERNETES = "node.kubernetes.io/"
"""Taints that repeat a node's conditions."""


@once_per_case
def nodes_by_name(case: Case) -> dict[str, Node]:
    return {node.name: node for node in case.snapshot.nodes}


def selects(spec: PodSpec, node: Node) -> bool:
    """Whether nodeSelector and required node affinity allow the node."""
    labels = node.labels
    if any(labels.get(key) != value for key, value in (spec.node_selector or {}).items()):
        return False
    affinity = spec.affinity.node_affinity if spec.affinity else None
    if affinity is None or affinity.required is None:
        return True
    terms = affinity.required.node_selector_terms or ()
    return any(_matches(term, node) for term in terms)


def untolerated(spec: PodSpec, node: Node) -> tuple[Taint, ...]:
    """The taints that keep the pod away."""
    return tuple(
        taint
        for taint in node.spec.taints or ()
        if taint.effect in KEEPING_AWAY
        and not any(_tolerates(each, taint) for each in spec.tolerations or ())
    )


def takes(spec: PodSpec, node: Node) -> bool:
    """Whether the node, if it is well, is one for this pod: Kubernetes' own taints do not count."""
    away = (t for t in untolerated(spec, node) if not t.key.startswith(BY_KUBERNETES))
    return selects(spec, node) and not any(away)


def as_admitted(spec: PodSpec, runtime_class: RuntimeClass | None) -> PodSpec:
    """With the selector and the tolerations of the class, which admission merges into pods and
    not into their templates. Where selectors differ, admission refuses the pod."""
    scheduling = runtime_class.scheduling if runtime_class else None
    if scheduling is None:
        return spec
    selector = {**(spec.node_selector or {}), **(scheduling.node_selector or {})}
    tolerations = [*(spec.tolerations or ()), *(scheduling.tolerations or ())]
    return replace(spec, node_selector=selector, tolerations=tolerations)


def fits(term: SelectorTerm, labels: Mapping[str, str]) -> bool:
    """One ``{key, operator, values}`` of a node affinity or a label selector."""
    value, values = labels.get(term.key), term.values or ()
    if term.operator == "In":
        return value in values
    if term.operator == "NotIn":
        return value not in values
    if term.operator == "Exists":
        return value is not None
    if term.operator == "DoesNotExist":
        return value is None
    return _compares(term, value)


def _matches(term: NodeSelectorTerm, node: Node) -> bool:
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    by_name = {"metadata.name": node.name}
    return all(fits(each, node.labels) for each in expressions) and all(
        fits(each, by_name) for each in fields
    )


def _compares(term: SelectorTerm, value: str | None) -> bool:
    """``Gt`` and ``Lt``; an operator nobody knows does not match."""
    number, wanted = whole(value), whole((term.values or [""])[0])
    if number is None or wanted is None:
        return False
    return number > wanted if term.operator == "Gt" else term.operator == "Lt" and number < wanted


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect not in (None, "", taint.effect):
        return False
    if toleration.operator == "Exists":
        return toleration.key in (None, "", taint.key)
    return toleration.key == taint.key and (toleration.value or "") == (taint.value or "")
