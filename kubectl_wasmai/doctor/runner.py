"""Runs checks over a case. Knows no cluster and no printing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Check, Result, Status, Subject
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.rights import rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_wasmai.snapshot import ClusterSnapshot


@dataclass(frozen=True)
class CheckRun:
    """One check with its answers; never empty: "nothing to check" is an answer too."""

    check: Check
    results: tuple[Result, ...]
    duration_ms: float


def run_checks(case: Case, checks: Sequence[Check]) -> tuple[CheckRun, ...]:
    """In the order given, except that a check runs after those it depends on."""
    done: dict[str, CheckRun] = {}
    for check in _by_dependency(checks):
        started = time.perf_counter()
        results = tuple(_results(case, check, done))
        done[check.id] = CheckRun(check, results, (time.perf_counter() - started) * 1000)
    return tuple(done[check.id] for check in checks)


def _by_dependency(checks: Sequence[Check]) -> list[Check]:
    ordered: list[Check] = []
    pending = list(checks)
    while pending:
        waiting = {each.id for each in pending}
        ready = [each for each in pending if not waiting & set(each.depends_on)]
        if not ready:
            raise AssertionError(f"checks depend on each other in a circle: {sorted(waiting)}")
        ordered += ready
        pending = [each for each in pending if each not in ready]
    return ordered


def _results(case: Case, check: Check, done: dict[str, CheckRun]) -> Iterable[Result]:
    lacking = [kind for kind in check.needs if not case.snapshot.has(kind)]
    if lacking:
        yield _unknown(case.snapshot, lacking)
        return
    failed = _failed_dependencies(check, done)
    for result in check.run(case):
        cause = failed.get(result.subject)
        if cause and result.status is not Status.SKIP:
            yield replace(
                result, status=Status.SKIP, reason=f"not judged while {cause} fails", evidence=()
            )
        else:
            yield result


def _failed_dependencies(check: Check, done: dict[str, CheckRun]) -> dict[Subject | None, str]:
    return {
        result.subject: id_
        for id_ in check.depends_on
        if id_ in done
        for result in done[id_].results
        if result.status is Status.FAIL and result.subject
    }


def _unknown(snapshot: ClusterSnapshot, lacking: list[str]) -> Result:
    """Says what would have been needed: a right with the rule that grants it, or a file."""
    collection = snapshot.info.collection
    plurals = {_listed_as(denied.resource): denied for denied in collection.denied}
    for kind in lacking:
        denied = plurals.get(_plural(kind))
        if denied:
            scope = f" in namespace {denied.namespace}" if denied.namespace else ""
            right = f"{denied.verb} {denied.resource}{scope}"
            granting = rule(BY_KIND[kind].group, [BY_KIND[kind].plural], [denied.verb])
            return Result(
                Status.UNKNOWN,
                f"you may not {right}",
                needs=f"{right}; the rule that grants it: {granting}",
            )
    names = ", ".join(_plural(kind) for kind in lacking)
    return Result(
        Status.UNKNOWN,
        f"the snapshot does not hold {names}",
        needs=" ".join(["kubectl get", ",".join(_plural(kind) for kind in lacking), "-A -o json"]),
    )


def _plural(kind: str) -> str:
    return BY_KIND[kind].listed_as


def _listed_as(resource: str) -> str:
    """``deployments.apps`` is told as ``deployments``, ``pods.metrics.k8s.io`` as it is."""
    return resource if resource.endswith(".metrics.k8s.io") else resource.partition(".")[0]
