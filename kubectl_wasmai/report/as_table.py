"""The report for people: root causes first, then the checklists, then one line of counts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.report.rows import Row, rows
from kubectl_wasmai.report.summary import (
    STATUS_WIDTH,
    ignored_lines,
    limits_lines,
    rights_lines,
    summary_lines,
    verdict_lines,
)
from kubectl_wasmai.report.text import folded, only_subject, styled, without, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry, Report

ID_WIDTH = 27


@dataclass(frozen=True)
class Look:
    """How a report is shown. ``wide`` adds evidence to each check, and why others do not apply.
    ``causes_last``: where the prompt is, as a terminal scrolls. ``strict``: what the exit code
    will be judged by."""

    width: int = 80
    color: bool = False
    wide: bool = False
    causes_last: bool = False
    strict: bool = False


def render(report: Report, look: Look | None = None) -> str:
    """The whole report as text; commands are never broken, to be pasted."""
    look = look or Look()
    width, color = look.width, look.color
    causes = list(diagnoses_lines(report, width, color=color))
    lines: list[str] = []
    for checklist, entries in groupby(report.checks, key=lambda entry: entry.checklist):
        listed = list(entries)
        only = only_subject(listed)
        heading = styled(harmless(checklist).upper(), "heading", color=color)
        lines += [f"{heading}  {harmless(str(only))}" if only else heading]
        lines += _checks_lines(without(only, listed), width, color=color, wide=look.wide)
        lines.append("")
    lines += rights_lines(report, width, color=color)
    lines += ignored_lines(report, width, color=color)
    lines += limits_lines(report, width)
    lines = [*lines, *causes] if look.causes_last else [*causes, *lines]
    lines += summary_lines(report, width, color=color, strict=look.strict)
    return "\n".join(lines) + "\n"


def render_diagnoses(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The root causes alone; a sentence where there is none."""
    lines = list(diagnoses_lines(report, width, color=color))
    return "\n".join(lines or ["No root cause was found."]) + "\n"


def render_quiet(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The verdict, then the root causes."""
    lines = list(verdict_lines(report, width, color=color))
    if report.diagnoses:
        lines += ["", *diagnoses_lines(report, width, color=color)][:-1]
    if report.summary.verdict == "inconclusive":
        lines += [*rights_lines(report, width, color=color)][:-1]
    if report.ignored:
        lines += ["", *ignored_lines(report, width, color=color)][:-1]
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
    yield from wrapped(folded(diagnosis.explains) or "nothing else", width, "    ")
    yield styled("  To do", "heading", color=color)
    yield from wrapped(diagnosis.remedy.summary, width, "    ")
    for command in diagnosis.remedy.commands:
        yield "      " + styled(harmless(command), "heading", color=color)
    if diagnosis.runbook:
        yield styled("  More", "heading", color=color)
        yield f"    kubectl wasmai explain {diagnosis.cause}"


def _checks_lines(
    entries: list[CheckEntry], width: int, *, color: bool, wide: bool
) -> Iterator[str]:
    for row in rows(entries, fold=not wide):
        if len(row.ids) > 1:
            yield from _folded_lines(row, width, color=color)
        else:
            yield from _lines(row.entries, width, color=color, wide=wide)


def _folded_lines(row: Row, width: int, *, color: bool) -> Iterator[str]:
    """Several checks that are not judged, for one reason or since they do not apply."""
    first = row.entries[0]
    reasons = {entry.reason for entry in row.entries}
    reason = first.reason if len(reasons) == 1 else "do not apply here; -o wide says why"
    status = styled(f"{row.status.value:<{STATUS_WIDTH}}", row.status.value, color=color)
    lines = wrapped(", ".join(row.ids), width - STATUS_WIDTH - 2, "")
    lines += wrapped(reason, width - STATUS_WIDTH - 4, "  ")
    if _needs(first):
        lines += wrapped(_needs(first), width - STATUS_WIDTH - 4, "  ")
    yield f"  {status}{lines[0]}".rstrip()
    yield from (" " * (STATUS_WIDTH + 2) + line for line in lines[1:])


def _needs(entry: CheckEntry) -> str:
    """What would help, unless it is a right: the reason names it, and its rule stands below."""
    if entry.status is not Status.UNKNOWN or not entry.needs or "apiGroups" in entry.needs:
        return ""
    return f"needs: {entry.needs}"


def _lines(entries: Sequence[CheckEntry], width: int, *, color: bool, wide: bool) -> Iterator[str]:
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


def _details(entries: Sequence[CheckEntry], width: int, *, wide: bool) -> Iterator[str]:
    if len(entries) > 1 and entries[0].status in (Status.PASS, Status.SKIP) and not wide:
        yield f"{len(entries)} workloads"
        return
    for number, entry in enumerate(entries):
        if entry.runbook != entry.id:
            yield from wrapped(entry.title, width, "")
            yield from wrapped(entry.reason, width, "  ") if wide else ()
            continue
        subject = f"{entry.subject}: " if entry.subject else ""
        yield from wrapped(f"{subject}{entry.reason}", width, "")
        # What helps them all is said once, after the last.
        last = entry.needs not in {other.needs for other in entries[number + 1 :]}
        yield from wrapped(_needs(entry), width, "") if last else ()
        for evidence in entry.evidence if wide else ():
            yield from wrapped(f"{evidence.source} {evidence.object}: {evidence.text}", width, "  ")
