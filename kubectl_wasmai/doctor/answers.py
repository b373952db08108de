"""Answers that many checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Result, Status
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.rights import rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_wasmai.doctor.model import Subject
    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView

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


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 pod``, ``3 pods``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def unseen(
    snapshot: ClusterSnapshot, lacking: Sequence[str], subject: Subject | None = None
) -> Result:
    """UNKNOWN for want of kinds, and what would help: a right with the rule that grants it, or a
    file."""
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
                subject,
                needs=f"{right}; the rule that grants it: {granting}",
            )
    names = ", ".join(_plural(kind) for kind in lacking)
    return Result(
        Status.UNKNOWN,
        f"the snapshot does not hold {names}",
        subject,
        needs=" ".join(["kubectl get", ",".join(_plural(kind) for kind in lacking), "-A -o json"]),
    )


def _plural(kind: str) -> str:
    return BY_KIND[kind].listed_as


def _listed_as(resource: str) -> str:
    """``deployments.apps`` is told as ``deployments``, ``pods.metrics.k8s.io`` as it is."""
    return resource if resource.endswith(".metrics.k8s.io") else resource.partition(".")[0]
