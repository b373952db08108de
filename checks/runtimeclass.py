"""RuntimeClass objects: does the one a workload names exist?"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

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
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.versions import runs_k3s
from kubectl_wasmai.resources import RUNTIME_CLASS
from kubectl_wasmai.wasm import K3S_CLASSES, is_native_handler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView


def class_exists(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield _any_class(case)
    for view in case.workloads:
        name = view.spec.runtime_class_name
        if not name:
            yield Result(
                Status.SKIP, "names no RuntimeClass: runs with the node's default", view.subject
            )
        elif name in case.snapshot.runtime_classes:
            handler = case.snapshot.runtime_classes[name].handler
            evidence = Evidence("spec", f"RuntimeClass {name}", f"handler: {handler}")
            yield Result(Status.PASS, f"RuntimeClass {name} exists", view.subject, (evidence,))
        else:
            yield Result(
                Status.FAIL,
                f"RuntimeClass {name} does not exist",
                view.subject,
                (_names_class(view, name, _for_wasm(case)),),
            )


def _any_class(case: Case) -> Result:
    """Nothing is deployed yet: is there a class that a deployment could name?"""
    names = _for_wasm(case)
    if not names:
        return Result(Status.WARN, "no RuntimeClass for WebAssembly exists yet")
    text = f"RuntimeClasses for WebAssembly: {', '.join(names)}"
    if runs_k3s(case.snapshot) and {*names} <= {*K3S_CLASSES}:
        text += "; K3s makes these on every cluster, whatever its nodes have"
    return Result(Status.PASS, text)


def missing_class(case: Case) -> Iterable[Finding]:
    """Certain from the objects alone: admission refuses every pod of such a workload."""
    existing = _for_wasm(case)
    for view in case.workloads:
        name = view.spec.runtime_class_name
        if name and name not in case.snapshot.runtime_classes:
            yield Finding(
                cause="runtimeclass-missing",
                subject=view.subject,
                certainty=Certainty.CERTAIN,
                evidence=(_names_class(view, name, existing),),
                names={"class": name, **_ways_out(case, name, existing)},
            )


@once_per_case
def _for_wasm(case: Case) -> tuple[str, ...]:
    """Names of the RuntimeClasses whose handler is none of those that run native containers."""
    return tuple(
        each.name
        for each in case.snapshot.runtime_classes.values()
        if not is_native_handler(each.handler)
    )


def _names_class(view: WorkloadView, name: str, existing: tuple[str, ...]) -> Evidence:
    there = f"for WebAssembly there is: {', '.join(existing)}" if existing else "there is none"
    return Evidence("spec", str(view.subject), f"runtimeClassName: {name} ({there})")


def _ways_out(case: Case, name: str, existing: tuple[str, ...]) -> dict[str, str]:
    """Words for the remedy: most often the name is misspelt and the right class is there."""
    words = {"manifest": _manifest(name, _handler(case))}
    if existing:
        nearest = (difflib.get_close_matches(name, existing, 1, 0.0) or existing)[0]
        spec = {"template": {"spec": {"runtimeClassName": nearest}}}
        words["patch"] = json.dumps({"spec": spec})
    return words


def _manifest(name: str, handler: str) -> str:
    return json.dumps(
        {
            "apiVersion": RUNTIME_CLASS.api_version,
            "kind": RUNTIME_CLASS.kind,
            "metadata": {"name": name},
            "handler": handler,
        }
    )


@once_per_case
def _handler(case: Case) -> str:
    """A handler that some node reports and that runs Wasm, else crun's usual name."""
    reported = [
        handler.name
        for node in case.snapshot.nodes
        for handler in node.status.runtime_handlers or ()
        if handler.name and not is_native_handler(handler.name)
    ]
    return reported[0] if reported else "crun"


CHECKS = (
    Check(
        id="runtimeclass-exists",
        title="The RuntimeClass for WebAssembly exists",
        severity=Severity.ERROR,
        needs=("RuntimeClass",),
        run=class_exists,
    ),
)
DETECTORS = (Detector(("runtimeclass-missing",), ("RuntimeClass",), missing_class),)
