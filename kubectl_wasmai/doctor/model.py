"""The doctor's vocabulary: checks and their results, causes and their diagnoses.

A *check* asks whether a fact holds. A *finding* is one piece of reasoning that points at a root
cause; findings about the same thing become one *diagnosis*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - msgspec resolves annotations at run time
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.snapshot.workloads import Subject, WorkloadView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kubectl_wasmai.doctor.checklist import Checklist
    from kubectl_wasmai.doctor.ignoring import Ignore
    from kubectl_wasmai.doctor.tables import Table
    from kubectl_wasmai.snapshot import ClusterSnapshot

__all__ = ["Subject", "WorkloadView"]


class Status(str, Enum):
    """The outcome of one check on one subject."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    SKIP = "SKIP"
    MANUAL = "MANUAL"


class Severity(str, Enum):
    """How much a failed check matters: ``error`` stops inference, ``warning`` endangers it."""

    ERROR = "error"
    WARNING = "warning"


class Certainty(str, Enum):
    """``certain``: no other cause gives this evidence. ``possible``: one of several."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=False):
    """Something observed. ``source``: event, log, status, spec, node or probe."""

    source: str
    object: str
    text: str
    time: datetime | None = None


@dataclass(frozen=True)
class Result:
    """One check's answer about one subject. ``needs`` names what was missing for UNKNOWN."""

    status: Status
    reason: str
    subject: Subject | None = None
    evidence: tuple[Evidence, ...] = ()
    needs: str = ""


@dataclass(frozen=True)
class Thresholds:
    """What is still good enough; the defaults are the checklists'. Units: ``max_latency`` and
    ``max_cold_start`` in seconds, ``min_gpu_utilization`` and ``max_memory`` in percent (of the
    GPU's time, of the container's memory limit)."""

    max_latency: float = 0.05
    max_cold_start: float = 0.01
    min_gpu_utilization: float = 50.0
    max_memory: float = 80.0


@dataclass(frozen=True)
class Options:
    """What the user asked the doctor to look at, and with which checklists and tables of their
    own. ``checklists`` are names of shipped ones."""

    subject: Subject | None = None
    checklists: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    own_checklists: tuple[Checklist, ...] = ()
    own_tables: tuple[Table, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, eq=False)
class Case:
    """What a check or detector is given: the snapshot and the workloads of interest in it.
    One case equals no other, so facts can be kept for it (``once_per_case``).

    ``components`` are those that offer GPUs to others (device plugins, exporters, operators).
    """

    snapshot: ClusterSnapshot
    workloads: tuple[WorkloadView, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    components: tuple[WorkloadView, ...] = ()


@dataclass(frozen=True)
class Check:
    """A question with an id that is public API.

    ``title`` is an affirmative sentence. ``needs`` are kinds without which the answer is
    UNKNOWN. Where a check of ``depends_on`` failed for a subject, this one is not judged there.
    """

    id: str
    title: str
    severity: Severity
    needs: tuple[str, ...]
    run: Callable[[Case], Iterable[Result]]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One reason to name a cause.

    ``names`` fill the remedy's placeholders and tell apart findings about different shared
    objects (two missing classes are two causes). ``workloads`` are those that suffer, where the
    subject is not the workload itself (a Node).
    """

    cause: str
    subject: Subject
    certainty: Certainty
    evidence: tuple[Evidence, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    workloads: tuple[Subject, ...] = ()

    @property
    def affected(self) -> tuple[Subject, ...]:
        return self.workloads or (self.subject,)


@dataclass(frozen=True)
class Detector:
    """Finds causes in the objects themselves, before and without any error text."""

    causes: tuple[str, ...]
    needs: tuple[str, ...]
    run: Callable[[Case], Iterable[Finding]]


class Remedy(msgspec.Struct, frozen=True):
    """What to do: one sentence, commands to paste, and one action from a closed list."""

    summary: str
    commands: tuple[str, ...]
    action: str


class Diagnosis(msgspec.Struct, frozen=True):
    """One root cause, where it sits, what it explains and why we believe it."""

    cause: str
    title: str
    certainty: Certainty
    subject: Subject
    workloads: tuple[Subject, ...]
    explains: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    runbook: str
