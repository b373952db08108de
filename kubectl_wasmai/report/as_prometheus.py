"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector.

Each check and subject has one series per status, of which one is 1: an alert on
``wasmai_check_status{status="FAIL"} == 1`` ends by itself when the status changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.doctor.report import Verdict
from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.report import ObjectRef, Report

Series = tuple[dict[str, str], float]


def as_prometheus(report: Report) -> str:
    """Families in a fixed order; no series twice, whatever the report holds."""
    families = (
        ("wasmai_check_status", "Status of a check on an object: 1 for the one it has.", _checks),
        ("wasmai_diagnosis", "A root cause that the doctor names.", _diagnoses),
        ("wasmai_verdict", "The report in one word: 1 for the one it has.", _verdicts),
        ("wasmai_results", "Number of results of each status.", _results),
        ("wasmai_ignored", "A finding that raises no alarm, since somebody wants it so.", _ignored),
        ("wasmai_denied", "A right that was missing while collecting.", _denied),
        ("wasmai_report_timestamp_seconds", "When the cluster was looked at.", _timestamp),
    )
    lines: list[str] = []
    for name, text, series in families:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += _samples(name, series(report))
    return "\n".join(lines) + "\n"


def _samples(name: str, series: Iterable[Series]) -> Iterator[str]:
    merged: dict[str, float] = {}
    for labels, value in series:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        key = f"{name}{{{inner}}}" if inner else name
        merged[key] = max(value, merged.get(key, value))
    for key, value in merged.items():
        yield f"{key} {value:.15g}"


def _checks(report: Report) -> Iterator[Series]:
    for entry in report.checks:
        for status in Status:
            labels = {"check": entry.id, "checklist": entry.checklist, **_object(entry.subject)}
            yield {**labels, "status": status.value}, float(entry.status is status)


def _diagnoses(report: Report) -> Iterator[Series]:
    for each in report.diagnoses:
        labels = {"cause": each.cause, "certainty": each.certainty.value}
        yield {**labels, **_object(each.subject)}, 1.0


def _verdicts(report: Report) -> Iterator[Series]:
    for verdict in get_args(Verdict):
        yield {"verdict": verdict}, float(report.summary.verdict == verdict)


def _results(report: Report) -> Iterator[Series]:
    for status in Status:
        count = sum(entry.status is status for entry in report.checks)
        yield {"status": status.value}, float(count)


def _ignored(report: Report) -> Iterator[Series]:
    for each in report.ignored:
        yield {"id": each.id, "was": each.was, **_object(each.subject)}, 1.0


def _denied(report: Report) -> Iterator[Series]:
    for each in report.collection.denied:
        labels = {"verb": each.verb, "resource": each.resource, "namespace": each.namespace}
        yield labels, 1.0


def _timestamp(report: Report) -> Iterator[Series]:
    yield {}, report.generated_at.timestamp()


def _object(subject: ObjectRef | None) -> dict[str, str]:
    if subject is None:
        return {"kind": "", "namespace": "", "name": ""}
    return {"kind": subject.kind, "namespace": subject.namespace, "name": subject.name}


def _escaped(value: str) -> str:
    return harmless(value).replace("\\", r"\\").replace('"', r"\"")
