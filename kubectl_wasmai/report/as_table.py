"""The report for people: root causes first, then the checklists, then one line of counts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.report.rows import Row, lacking_rights, rows
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
    lines += rights_lines(report, width, color=color)
    lines += [*_limits(report, width), *_summary_lines(report, width, color=color)]
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
    if report.summary.verdict == "inconclusive":
        lines += [*rights_lines(report, width, color=color)][:-1]
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
    for row in rows(entries, fold=not wide):
        if len(row.ids) > 1:
            yield from _folded_lines(row, width, color=color)
        else:
            yield from _lines(row.entries, width, color=color, wide=wide)


def _folded_lines(row: Row, width: int, *, color: bool) -> Iterator[str]:
    """Several checks that are not judged, for one reason."""
    first = row.entries[0]
    status = styled(f"{row.status.value:<{STATUS_WIDTH}}", row.status.value, color=color)
    lines = wrapped(", ".join(row.ids), width - STATUS_WIDTH - 2, "")
    lines += wrapped(first.reason, width - STATUS_WIDTH - 4, "  ")
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


def rights_lines(report: Report, width: int, *, color: bool) -> Iterator[str]:
    """What to ask for where rights were lacking: rules to paste into a role."""
    missing = list(lacking_rights(report))
    if not missing:
        return
    denied = report.collection.denied
    where = sorted({each.namespace for each in denied if each.namespace})
    yield styled("RIGHTS", "heading", color=color)
    told = "These were lacking"
    told += f", in namespace {', '.join(where)} for what lives in namespaces" if where else ""
    told += "; kubectl wasmai rbac prints roles that grant all the doctor reads."
    if any(each.resource == "pods" and not each.namespace for each in denied):
        told += " With rights in one namespace alone, look at that one: -n NAMESPACE."
    yield from wrapped(told, width, "  ")
    yield from (f"  {harmless(line)}" for line in missing)
    yield ""


def _limits(report: Report, width: int) -> list[str]:
    """What was not looked at, so that nobody takes silence for an answer."""
    unread = report.collection.logs_not_read
    if not unread:
        return []
    text = f"Not read, since too many workloads fail: the logs of {_explained(unread)}."
    return [*wrapped(text, width, ""), ""]


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
