"""The doctor's answer as one document: what ``-o json`` prints, field by field.

``apiVersion: wasmai.dev/v1``; the schema is ``docs/doctor-report.schema.json``. Texts from the
cluster pass the redactor here, on their way out.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec resolves annotations at run time
from typing import TYPE_CHECKING, Literal

import msgspec

from kubectl_wasmai import __version__
from kubectl_wasmai.doctor.model import (
    Certainty,
    Diagnosis,
    Evidence,
    Remedy,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.snapshot.model import Collection  # noqa: TC001 - resolved at run time
from kubectl_wasmai.snapshot.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import ClusterSnapshot

Verdict = Literal["healthy", "degraded", "broken", "inconclusive"]


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    """Members are written in the order of the fields, empty ones included."""


class ObjectRef(_Document, frozen=True):
    """Names one object; ``namespace`` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, subject: Subject | None) -> ObjectRef | None:
        return None if subject is None else cls(*subject)

    def __str__(self) -> str:
        return str(Subject(self.kind, self.namespace, self.name))


class CheckEntry(_Document, frozen=True):
    """One check's answer about one subject. ``durationMs`` is null unless timings were asked
    for: a replay must give the same bytes."""

    id: str
    title: str
    checklist: str
    status: Status
    severity: Severity
    reason: str
    subject: ObjectRef | None
    evidence: tuple[Evidence, ...]
    needs: str
    duration_ms: float | None
    runbook: str


class DiagnosisEntry(_Document, frozen=True):
    cause: str
    title: str
    certainty: Certainty
    subject: ObjectRef
    explains: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    remedy: Remedy
    runbook: str


class IgnoredEntry(_Document, frozen=True):
    """A finding that raises no alarm, since somebody wants it so: ``by`` says who. ``was`` is the
    status of a check, or the certainty of a cause."""

    id: str
    was: Literal["FAIL", "WARN", "UNKNOWN", "certain", "likely", "possible"]
    subject: ObjectRef | None
    reason: str
    by: str


class Summary(_Document, frozen=True):
    """How many results have each status, and what that means in one word. ``ignored`` are
    findings, which count as nothing else."""

    pass_: int = msgspec.field(name="pass")
    warn: int
    fail: int
    unknown: int
    skip: int
    manual: int
    ignored: int
    verdict: Verdict


class ClusterInfo(_Document, frozen=True):
    context: str
    namespace: str
    server_version: str
    nodes: int | None
    source: Literal["live", "file"]


class Report(_Document, frozen=True):
    """``kind: DoctorReport``."""

    api_version: str
    kind: str
    generated_at: datetime
    tool_version: str
    cluster: ClusterInfo
    summary: Summary
    diagnoses: tuple[DiagnosisEntry, ...]
    checks: tuple[CheckEntry, ...]
    ignored: tuple[IgnoredEntry, ...]
    collection: Collection

    @property
    def exit_code(self) -> int:
        """0 no FAIL, 3 at least one or a root cause, 1 when nothing could be judged at all."""
        return {"broken": 3, "inconclusive": 1}.get(self.summary.verdict, 0)

    @property
    def strict_exit_code(self) -> int:
        """As ``exit_code``, and 4 where something was WARN or UNKNOWN."""
        return self.exit_code or (4 if self.summary.warn + self.summary.unknown else 0)


def build_report(
    snapshot: ClusterSnapshot,
    diagnoses: Iterable[Diagnosis],
    checks: Iterable[CheckEntry],
    ignored: tuple[IgnoredEntry, ...] = (),
) -> Report:
    entries = tuple(_redacted_check(each) for each in checks)
    named = tuple(_diagnosis_entry(each) for each in diagnoses)
    info = snapshot.info
    return Report(
        api_version="wasmai.dev/v1",
        kind="DoctorReport",
        generated_at=info.taken_at,
        tool_version=__version__,
        cluster=ClusterInfo(
            context=info.context,
            namespace=info.namespace,
            server_version=info.server_version,
            nodes=len(snapshot.nodes) if snapshot.has("Node") else None,
            source=snapshot.source,
        ),
        summary=_summary(entries, named, len(ignored)),
        diagnoses=named,
        checks=entries,
        ignored=tuple(
            msgspec.structs.replace(each, reason=redact_text(each.reason)) for each in ignored
        ),
        collection=info.collection,
    )


def _summary(
    entries: tuple[CheckEntry, ...], diagnoses: tuple[DiagnosisEntry, ...], ignored: int
) -> Summary:
    count = {status: sum(e.status is status for e in entries) for status in Status}
    return Summary(
        pass_=count[Status.PASS],
        warn=count[Status.WARN],
        fail=count[Status.FAIL],
        unknown=count[Status.UNKNOWN],
        skip=count[Status.SKIP],
        manual=count[Status.MANUAL],
        ignored=ignored,
        verdict=_verdict(entries, count, diagnoses),
    )


def _verdict(
    entries: tuple[CheckEntry, ...],
    count: dict[Status, int],
    diagnoses: tuple[DiagnosisEntry, ...],
) -> Verdict:
    """A root cause is a fault even where all still runs: it breaks as soon as it is used. What is
    merely not set up for the day of a failure does not make a cluster a worse one today."""
    if count[Status.FAIL] or any(d.certainty is not Certainty.POSSIBLE for d in diagnoses):
        return "broken"
    if not count[Status.PASS]:
        return "inconclusive"
    warned = any(e.status is Status.WARN and e.checklist != "readiness" for e in entries)
    return "degraded" if warned else "healthy"


def _diagnosis_entry(diagnosis: Diagnosis) -> DiagnosisEntry:
    return DiagnosisEntry(
        cause=diagnosis.cause,
        title=diagnosis.title,
        certainty=diagnosis.certainty,
        subject=ObjectRef(*diagnosis.subject),
        explains=diagnosis.explains,
        evidence=_redacted(diagnosis.evidence),
        remedy=diagnosis.remedy,
        runbook=diagnosis.runbook,
    )


def _redacted_check(entry: CheckEntry) -> CheckEntry:
    return msgspec.structs.replace(
        entry, reason=redact_text(entry.reason), evidence=_redacted(entry.evidence)
    )


def _redacted(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(msgspec.structs.replace(e, text=redact_text(e.text)) for e in evidence)
