"""What a RuntimeClass adds to its pods: node selector and overhead, and whether they fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import RuntimeClass


def selector_conflict(case: Case) -> Iterable[Finding]:
    """Admission refuses a pod whose nodeSelector has another value for a key of the class's."""
    for view, runtime_class in _classed(case):
        own = view.spec.node_selector or {}
        for key, wanted in class_selector(runtime_class).items():
            if key in own and own[key] != wanted:
                text = (
                    f"nodeSelector: {key}={own[key]}; RuntimeClass {runtime_class.name}: {wanted}"
                )
                patch = {"spec": {"template": {"spec": {"nodeSelector": {key: None}}}}}
                yield Finding(
                    "runtimeclass-selector-conflict",
                    view.subject,
                    Certainty.CERTAIN,
                    (Evidence("spec", str(view.subject), text),),
                    {
                        "key": key,
                        "wanted": wanted,
                        "class": runtime_class.name,
                        "patch": json.dumps(patch),
                    },
                )


def overhead_mismatch(case: Case) -> Iterable[Finding]:
    """Only in a template: the API server itself writes the class's overhead into pods."""
    for view, runtime_class in _classed(case):
        written = view.spec.overhead
        defined = (runtime_class.overhead and runtime_class.overhead.pod_fixed) or {}
        if view.subject.kind == "Pod" or written is None or written == defined:
            continue
        text = f"overhead: {json.dumps(written)}; RuntimeClass: {json.dumps(defined)}"
        patch = {"spec": {"template": {"spec": {"overhead": None}}}}
        yield Finding(
            "runtimeclass-overhead-mismatch",
            view.subject,
            Certainty.CERTAIN,
            (Evidence("spec", str(view.subject), text),),
            {"class": runtime_class.name, "patch": json.dumps(patch)},
        )


def no_matching_node(case: Case) -> Iterable[Finding]:
    """The class's selector is merged into every pod; a label no node has keeps all pending."""
    for view, runtime_class in _classed(case):
        selector = class_selector(runtime_class)
        if not selector or not case.snapshot.nodes or _all_well(view):
            continue
        if any(selector.items() <= node.labels.items() for node in case.snapshot.nodes):
            continue
        words = ",".join(f"{key}={value}" for key, value in selector.items())
        evidence = Evidence(
            "spec", f"RuntimeClass {runtime_class.name}", f"scheduling.nodeSelector: {words}"
        )
        yield Finding(
            "runtimeclass-no-matching-node",
            view.subject,
            Certainty.CERTAIN,
            (evidence,),
            {"class": runtime_class.name, "selector": words},
        )


def class_selector(runtime_class: RuntimeClass) -> dict[str, str]:
    scheduling = runtime_class.scheduling
    return (scheduling and scheduling.node_selector) or {}


def _all_well(view: WorkloadView) -> bool:
    return bool(view.pods) and all(is_well(pod) for pod in view.pods)


def _classed(case: Case) -> Iterator[tuple[WorkloadView, RuntimeClass]]:
    for view in case.workloads:
        runtime_class = case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")
        if runtime_class is not None:
            yield view, runtime_class


DETECTORS = (
    Detector(("runtimeclass-selector-conflict",), ("RuntimeClass",), selector_conflict),
    Detector(("runtimeclass-overhead-mismatch",), ("RuntimeClass",), overhead_mismatch),
    Detector(("runtimeclass-no-matching-node",), ("RuntimeClass", "Node"), no_matching_node),
)
