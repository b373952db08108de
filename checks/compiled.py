"""Compiled code inside a module: does the engine take it, or interpret the module instead?

WasmEdge says so in passing (lib/loader/ast/module.cpp) and goes on: nothing fails, every answer
takes many times longer. So the logs of pods that are well are read, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_leaving
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView

_REJECTED = re.compile(
    r"AOT (?:binary version|OS type|arch type|platform) unmatched|Load AOT section failed"
    r"|number of codes not matching"
)


# engine/src/main.rs: the first line of our own engine's log.
_INTERPRETED = re.compile(r'"execution": ?"interpreted"')


def rejected(case: Case, view: WorkloadView) -> Evidence | None:
    """WasmEdge's word that it does not run the compiled code of a module."""
    return _said(case, view, _REJECTED)


def slow(case: Case, view: WorkloadView) -> Evidence | None:
    """Anybody's word that the module is interpreted, for whatever reason."""
    return rejected(case, view) or _said(case, view, _INTERPRETED)


def _said(case: Case, view: WorkloadView, words: re.Pattern[str]) -> Evidence | None:
    for pod in view.pods:
        for status in () if is_leaving(pod) else container_statuses(pod):
            for previous in (False, True):
                key = LogKey(pod.namespace, pod.name, status.name, previous)
                lines = case.snapshot.logs.get(key, "").splitlines()
                said = next((line for line in lines if words.search(line)), None)
                if said is not None:
                    about = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
                    return Evidence("log", about, said.strip())
    return None


def interpreted(case: Case) -> Iterable[Finding]:
    for view in case.workloads:
        evidence = rejected(case, view)
        if evidence is not None:
            yield Finding("aot-version-mismatch", view.subject, Certainty.CERTAIN, (evidence,))


DETECTORS = (Detector(("aot-version-mismatch",), ("Pod",), interpreted),)
