"""Runs checks over a case. Knows no cluster and no printing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import unseen
from kubectl_wasmai.doctor.model import Case, Check, Result, Status, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_wasmai.snapshot import ClusterSnapshot


MAX_NAMED = 3
"""Objects that a reason names; the report's ``collection`` names all."""


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
        yield unseen(case.snapshot, lacking)
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
    yield from _of_unreadable(case.snapshot, check)


def _of_unreadable(snapshot: ClusterSnapshot, check: Check) -> Iterable[Result]:
    """An object that was not understood might have changed the answer."""
    unreadable = snapshot.info.collection.unreadable
    odd = dict.fromkeys(each.object for each in unreadable if each.kind in check.needs)
    if odd:
        names = ", ".join(list(odd)[:MAX_NAMED]) + (", …" if len(odd) > MAX_NAMED else "")
        yield Result(
            Status.UNKNOWN,
            f"{len(odd)} objects could not be understood, or not all of them: {names}"
            if len(odd) > 1
            else f"{names} could not be understood, or not all of it",
            needs="the fields as the API server writes them; the JSON report says which are odd",
        )


def _failed_dependencies(check: Check, done: dict[str, CheckRun]) -> dict[Subject | None, str]:
    return {
        result.subject: id_
        for id_ in check.depends_on
        if id_ in done
        for result in done[id_].results
        if result.status is Status.FAIL and result.subject
    }
