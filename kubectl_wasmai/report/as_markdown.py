"""The checklists given back with their boxes ticked, for a change ticket.

The author's prose, order and indented notes stay as they were written; what the doctor says
stands indented under each item, the root causes before everything.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.checklist import item_lines, tick
from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.report.text import VERDICTS, code, folded, markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_wasmai.doctor.checklist import Checklist, Item
    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry, Report

MAX_LINES = 20
"""Subjects of one item that are named; the rest is counted."""


def as_markdown(report: Report, checklists: Sequence[Checklist]) -> str:
    """Ends in a newline. An item that was not asked for keeps the box its author gave it."""
    lines = [*_head(report)]
    for diagnosis in report.diagnoses:
        lines += ["", *_diagnosis(diagnosis)]
    lines += _ignored(report)
    results: defaultdict[str, list[CheckEntry]] = defaultdict(list)
    for entry in report.checks:
        results[entry.id].append(entry)
    for checklist in checklists:
        lines += ["", "---", "", *_checklist(checklist, results)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(report: Report) -> Iterator[str]:
    summary, cluster = report.summary, report.cluster
    yield "# Doctor's report"
    yield ""
    yield f"**{summary.verdict}**: {VERDICTS[summary.verdict]}"
    yield ""
    yield (
        f"{summary.pass_} passed, {summary.fail} failed, {summary.warn} warnings, "
        f"{summary.unknown} unknown, {summary.skip} skipped, {summary.manual} to judge"
        + (f", {summary.ignored} ignored" if summary.ignored else "")
    )
    yield ""
    where = [f"cluster {code(cluster.context)}"] if cluster.context else []
    where += [f"namespace {code(cluster.namespace)}"] if cluster.namespace else []
    where += [f"Kubernetes {code(cluster.server_version)}"] if cluster.server_version else []
    where += [f"seen at {report.generated_at:%Y-%m-%d %H:%M:%S} UTC"]
    yield ", ".join([*where, f"kubectl wasmai {report.tool_version}"])


def _diagnosis(diagnosis: DiagnosisEntry) -> Iterator[str]:
    yield f"## Root cause: {code(diagnosis.cause)} ({diagnosis.certainty.value})"
    yield ""
    yield f"{markdown(diagnosis.title)}: {code(str(diagnosis.subject))}"
    yield ""
    yield from (
        f"- {each.source} {code(each.object)}: {code(each.text)}" for each in diagnosis.evidence
    )
    yield ""
    yield f"**To do:** {markdown(diagnosis.remedy.summary)}"
    if diagnosis.remedy.commands:
        commands = [harmless(command) for command in diagnosis.remedy.commands]
        fence = "`" * max(3, 1 + max(_longest_ticks(command) for command in commands))
        yield from ("", f"{fence}sh", *commands, fence)
    if diagnosis.explains:
        yield ""
        yield f"Explains: {markdown(folded(diagnosis.explains))}"


def _ignored(report: Report) -> Iterator[str]:
    if report.ignored:
        yield from ("", "## Ignored", "")
    for each in report.ignored:
        subject = f" {code(str(each.subject))}" if each.subject else ""
        yield f"- {each.was}: {code(each.id)}{subject}: {markdown(each.reason)} ({code(each.by)})"


def _longest_ticks(text: str) -> int:
    return max(
        (len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0
    )


def _checklist(checklist: Checklist, results: dict[str, list[CheckEntry]]) -> Iterator[str]:
    """The file's own lines; after each item and its notes what the doctor says of it."""
    pending: list[str] = []
    for line, item in item_lines(checklist.source):
        if item is None:
            if pending and not (line.startswith("  ") and line.strip()):
                yield from pending
                pending = []
            yield line
            continue
        yield from pending
        # What a person must judge has nothing to say that is not in the file already.
        entries = results.get(item.id, []) if item.check else []
        margin = " " * line.index("[")
        pending = [margin + each for each in _reasons(entries)]
        yield tick(line, _ticked(item, entries))
    yield from pending


def _ticked(item: Item, entries: list[CheckEntry]) -> bool | None:
    """``None`` leaves the box as it is: what a person has ticked, a person has judged."""
    if not entries or not item.check:
        return None
    statuses = {entry.status for entry in entries}
    return Status.PASS in statuses and statuses <= {Status.PASS, Status.SKIP}


def _reasons(entries: list[CheckEntry]) -> Iterator[str]:
    told = [entry for entry in entries if entry.status is not Status.SKIP] or entries[:1]
    bad = [entry for entry in told if entry.status is not Status.PASS]
    if told and not bad and len(told) > 1:
        yield f"- PASS: {len(told)} objects"
        return
    shown = bad or told
    for entry in shown[:MAX_LINES]:
        subject = f"{code(str(entry.subject))}: " if entry.subject else ""
        yield f"- {entry.status.value}: {subject}{markdown(entry.reason)}".rstrip(": ")
        if entry.needs:
            yield f"  needs: {code(entry.needs)}"
    if len(shown) > MAX_LINES:
        yield f"- and {len(shown) - MAX_LINES} more"
