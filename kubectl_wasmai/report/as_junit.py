"""The report for CI servers: JUnit XML, one suite a checklist, one test case a check's result.

There is no standard, but two schemas that people validate with: that of Apache Ant's reports and
that of Jenkins. This is valid for both. FAIL is a ``failure``. UNKNOWN is an ``error``: the
question could not be asked, which must not look green. SKIP and MANUAL are ``skipped`` with their
reason. WARN passes, as it does for the exit code; the suite's ``system-out`` says it.
"""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Severity, Status
from kubectl_wasmai.doctor.report import CheckEntry
from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.report.text import blamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.report import Report

_STATUSES = tuple(status.value for status in Status)
ELEMENTS = {
    Status.FAIL: "failure",
    Status.UNKNOWN: "error",
    Status.SKIP: "skipped",
    Status.MANUAL: "skipped",
}


def as_junit(report: Report) -> str:
    """One XML document. Times are of the snapshot, so a replay gives the same bytes."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    suites = groupby(_cases_of(report), key=lambda entry: entry.checklist)
    for number, (checklist, entries) in enumerate(suites):
        lines += _suite(report, number, checklist, list(entries))
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite(report: Report, number: int, checklist: str, entries: list[CheckEntry]) -> Iterator[str]:
    head = _attributes(
        name=checklist,
        package="kubectl-wasmai",
        id=str(number),
        timestamp=report.generated_at.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=harmless(report.cluster.context) or "cluster",
        time=_seconds(entries),
        **_counts(entries),
    )
    yield f"  <testsuite{head}>"
    yield "    <properties>"
    yield f"      <property{_attributes(name='verdict', value=report.summary.verdict)}/>"
    yield f"      <property{_attributes(name='ignored', value=str(report.summary.ignored))}/>"
    yield "    </properties>"
    yield from _cases(report, entries)
    warned = "\n".join(_warning(each) for each in entries if each.status is Status.WARN)
    yield f"    <system-out>{warned}</system-out>"
    yield "    <system-err></system-err>"
    yield "  </testsuite>"


def _warning(entry: CheckEntry) -> str:
    subject = f" ({entry.subject})" if entry.subject else ""
    return _text(f"WARN {entry.id}{subject}: {entry.reason}")


def _seconds(entries: Iterable[CheckEntry]) -> str:
    return f"{sum(each.duration_ms or 0.0 for each in entries) / 1000:.3f}"


def _cases_of(report: Report) -> Iterator[CheckEntry]:
    """Every check's result; then, in a suite of their own, the causes that raise no alarm."""
    yield from report.checks
    for each in report.ignored:
        if each.was not in _STATUSES:
            yield CheckEntry(
                id=each.id,
                title=each.reason,
                checklist="ignored",
                status=Status.SKIP,
                severity=Severity.WARNING,
                reason=f"ignored ({each.by}): {each.was}",
                subject=each.subject,
                evidence=(),
                needs="",
                duration_ms=None,
                runbook=each.id,
            )


def _counts(entries: Iterable[CheckEntry]) -> dict[str, str]:
    kinds = [ELEMENTS.get(entry.status, "passed") for entry in entries]
    return {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
    }


def _cases(report: Report, entries: list[CheckEntry]) -> Iterator[str]:
    for entry in entries:
        subject = f" ({entry.subject})" if entry.subject else ""
        head = _attributes(
            classname=f"{entry.checklist}.{entry.id}",
            name=entry.title + subject,
            time=_seconds([entry]),
        )
        inner = list(_outcome(report, entry))
        if inner:
            yield from (f"    <testcase{head}>", *inner, "    </testcase>")
        else:
            yield f"    <testcase{head}/>"


def _outcome(report: Report, entry: CheckEntry) -> Iterator[str]:
    element = ELEMENTS.get(entry.status)
    if element is None:
        return
    if element == "skipped":
        message = entry.reason or "a person must judge this"
        yield f"      <skipped{_attributes(message=f'{entry.status.value}: {message}')}/>"
        return
    head = _attributes(message=entry.reason, type=entry.status.value)
    body = "\n".join(_text(line) for line in _details(report, entry))
    yield f"      <{element}{head}>{body}</{element}>"


def _details(report: Report, entry: CheckEntry) -> Iterator[str]:
    """What a person needs who sees nothing but this test case: cause, remedy, evidence."""
    if entry.needs:
        yield f"needs: {entry.needs}"
    for diagnosis in blamed(report, entry):
        yield f"root cause: {diagnosis.cause} ({diagnosis.certainty.value}): {diagnosis.title}"
        yield f"to do: {diagnosis.remedy.summary}"
        yield from (f"  {command}" for command in diagnosis.remedy.commands)
    for evidence in entry.evidence:
        yield f"{evidence.source} {evidence.object}: {evidence.text}"
    yield f"see: kubectl wasmai explain {entry.runbook}"


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{_text(value)}"' for name, value in values.items())


def _text(value: str) -> str:
    # Without control characters, which XML 1.0 cannot hold even escaped.
    return escape(harmless(value))
