"""Answers that many checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Result, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_wasmai.snapshot import WorkloadView

NO_WORKLOAD = Result(Status.SKIP, "no workload here asks for WebAssembly")


def per_workload(
    judge: Callable[[Case, WorkloadView], Result],
) -> Callable[[Case], Iterable[Result]]:
    """A check's ``run`` from a function that judges one workload."""

    def run(case: Case) -> Iterator[Result]:
        if not case.workloads:
            yield NO_WORKLOAD
        for view in case.workloads:
            yield judge(case, view)

    return run


def named(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``: a thousand nodes must fit on a line."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
