"""The report for people: root causes first, then the checklists, then one line of counts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.report.text import harmless, styled, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry, ObjectRef, Report

STATUS_WIDTH = 9
ID_WIDTH = 27
MAX_EXPLAINED = 6

VERDICTS = {
    "healthy": "everything that could be judged is well",
    "degraded": "nothing is broken, something wants attention",
    "broken": "no root cause was found for what failed",
    "inconclusive": "nothing could be judged",
}


def render(report: Report, *, width: int = 80, color: bool = False, wide: bool = False) -> str:
    """The whole report as text of ``width`` columns; commands are never broken, to be pasted.
    ``wide`` adds evidence to each check, and to manual items what to look at."""
    lines = [*diagnoses_lines(report, width, color=color)]
    for checklist, entries in groupby(report.checks, key=lambda entry: entry.checklist):
        listed = list(entries)
        only = _only_subject(listed)
        heading = styled(harmless(checklist).upper(), "heading", color=color)
        lines += [f"{heading}  {harmless(str(only))}" if only else heading]
        lines += _checks_lines(_without(only, listed), width, color=color, wide=wide)
        lines.append("")
    lines += _summary_lines(report, width, color=color)
    return "\n".join(lines) + "\n"


def render_diagnoses(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The root causes alone; a sentence where there is none."""
    lines = list(diagnoses_lines(report, width, color=color))
    return "\n".join(lines or ["No root cause was found."]) + "\n"


def _only_subject(entries: list[CheckEntry]) -> ObjectRef | None:
    """The one object that a checklist is about: said once, not on every line."""
    subjects = {entry.subject for entry in entries if entry.subject}
    return next(iter(subjects)) if len(subjects) == 1 else None


def _without(subject: ObjectRef | None, entries: list[CheckEntry]) -> list[CheckEntry]:
    if subject is None:
        return entries
    return [msgspec.structs.replace(entry, subject=None) for entry in entries]


def render_quiet(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The verdict in one line, then the root causes."""
    verdict = _verdict(report, width)
    style = "cause" if report.summary.verdict == "broken" else "heading"
    lines = [*(styled(line, style, color=color) for line in verdict)]
    if report.diagnoses:
        lines += ["", *diagnoses_lines(report, width, color=color)][:-1]
    return "\n".join(lines) + "\n"


def diagnoses_lines(report: Report, width: int, *, color: bool) -> Iterator[str]:
    for diagnosis in report.diagnoses:
        yield from _diagnosis_lines(diagnosis, width, color=color)
        yield ""


def _diagnosis_lines(diagnosis: DiagnosisEntry, width: int, *, color: bool) -> Iterator[str]:
    head = styled(f"ROOT CAUSE  {diagnosis.cause}", "cause", color=color)
    yield f"{head}  ({diagnosis.certainty.value})"
    yield from wrapped(f"{diagnosis.title}.", width, "  ")
    yield f"  {harmless(str(diagnosis.subject))}"
    yield ""
    yield styled("  Evidence", "heading", color=color)
    for evidence in diagnosis.evidence:
        lines = wrapped(f"{evidence.object}: {evidence.text}", width - 12, "")
        yield f"    {evidence.source:<8}{lines[0] if lines else ''}"
        yield from (" " * 12 + line for line in lines[1:])
    yield styled("  Explains", "heading", color=color)
    yield from wrapped(_explained(diagnosis.explains), width, "    ")
    yield styled("  To do", "heading", color=color)
    yield from wrapped(diagnosis.remedy.summary, width, "    ")
    for command in diagnosis.remedy.commands:
        yield "      " + styled(harmless(command), "heading", color=color)
    if diagnosis.runbook:
        yield styled("  More", "heading", color=color)
        yield f"    kubectl wasmai explain {diagnosis.cause}"


def _explained(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MAX_EXPLAINED])
    more = len(names) - MAX_EXPLAINED
    return f"{shown} and {more} more" if more > 0 else shown or "nothing else"


def _checks_lines(
    entries: list[CheckEntry], width: int, *, color: bool, wide: bool
) -> Iterator[str]:
    for _, group in groupby(entries, key=lambda entry: entry.id):
        results = list(group)
        for status in Status:
            same = [entry for entry in results if entry.status is status]
            if same:
                yield from _lines(same, width, color=color, wide=wide)


def _lines(entries: list[CheckEntry], width: int, *, color: bool, wide: bool) -> Iterator[str]:
    """One status of one check; a crowd that passes or is skipped is only counted."""
    first = entries[0]
    # An item of a checklist that no check stands behind has a sentence and no id.
    manual = first.status is Status.MANUAL and first.runbook != first.id
    id_width = 0 if manual else ID_WIDTH
    status = styled(f"{first.status.value:<{STATUS_WIDTH}}", first.status.value, color=color)
    details = list(_details(entries, width - STATUS_WIDTH - id_width - 2, wide=wide))
    id_ = "" if manual else f"{first.id:<{id_width - 2}}  "
    yield f"  {status}{id_}{details[0] if details else ''}".rstrip()
    yield from (" " * (STATUS_WIDTH + id_width + 2) + line for line in details[1:])


def _details(entries: list[CheckEntry], width: int, *, wide: bool) -> Iterator[str]:
    if len(entries) > 1 and entries[0].status in (Status.PASS, Status.SKIP) and not wide:
        yield f"{len(entries)} workloads"
        return
    for entry in entries:
        if entry.runbook != entry.id:
            yield from wrapped(entry.title, width, "")
            yield from wrapped(entry.reason, width, "  ") if wide else ()
            continue
        subject = f"{entry.subject}: " if entry.subject else ""
        yield from wrapped(f"{subject}{entry.reason}", width, "")
        if entry.status is Status.UNKNOWN and entry.needs:
            yield from wrapped(f"needs: {entry.needs}", width, "")
        for evidence in entry.evidence if wide else ():
            yield from wrapped(f"{evidence.source} {evidence.object}: {evidence.text}", width, "  ")


def _summary_lines(report: Report, width: int, *, color: bool) -> Iterator[str]:
    """Last, where the eye rests when a terminal has scrolled: counts, verdict, root causes."""
    summary = report.summary
    counts = (
        (summary.pass_, "passed", "PASS"),
        (summary.fail, "failed", "FAIL"),
        (summary.warn, "warning" if summary.warn == 1 else "warnings", "WARN"),
        (summary.unknown, "unknown", "UNKNOWN"),
        (summary.skip, "skipped", "SKIP"),
        (summary.manual, "for you to judge", "MANUAL"),
    )
    yield ", ".join(
        styled(f"{count} {word}", style, color=color) for count, word, style in counts if count
    )
    style = "cause" if summary.verdict == "broken" else "heading"
    yield from (styled(line, style, color=color) for line in _verdict(report, width))


def _verdict(report: Report, width: int) -> list[str]:
    verdict = report.summary.verdict
    named = ", ".join(f"{each.cause} ({each.subject})" for each in report.diagnoses)
    return wrapped(f"{verdict}: {named or VERDICTS[verdict]}", width, "")
