"""The checklists as tables that stay readable with hundreds of results.

What wants attention has a row of its own; a crowd that is well is one row; what does not apply is
counted, and folded away.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.report.html_words import code, text
from kubectl_wasmai.report.text import blamed, only_subject, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_wasmai.doctor.report import CheckEntry, Report

_CODE = re.compile(r"`([^`]+)`")
SHOWN = 20
"""Objects of one check and status that have a row each; the others come after a click."""

_HEAD = (
    '<thead><tr><th scope="col">Result</th><th scope="col">Check</th>'
    '<th scope="col">What was found</th></tr></thead>'
)
_WORDS = (
    (Status.FAIL, "failed"),
    (Status.WARN, "to improve"),
    (Status.UNKNOWN, "unknown"),
    (Status.PASS, "passed"),
    (Status.MANUAL, "to judge"),
)


def contents(report: Report) -> Iterator[str]:
    """Where to click; and how each checklist stands, for somebody who clicks nowhere."""
    yield '<nav aria-label="Contents"><ul>'
    if report.diagnoses:
        causes = len(report.diagnoses)
        yield f'<li><a href="#causes">Root causes</a> <b class=FAIL>{causes}</b></li>'
    for number, (name, entries) in enumerate(_by_checklist(report), 1):
        worst = _worst(entries)
        yield f'<li><a href="#list-{number}">{text(_title(name))}</a> {worst}</li>'
    if report.ignored:
        yield f'<li><a href="#ignored">Ignored</a> <b class=SKIP>{len(report.ignored)}</b></li>'
    yield "</ul></nav>"


def checklists(report: Report) -> Iterator[str]:
    for number, (name, entries) in enumerate(_by_checklist(report), 1):
        count = Counter(entry.status for entry in entries)
        told = ", ".join(f"{count[status]} {word}" for status, word in _WORDS if count[status])
        only = only_subject(entries)
        told += f": {code(str(only))}" if only else ""
        entries = without(only, entries)  # noqa: PLW2901
        yield f'<section aria-labelledby="list-{number}">'
        yield f'<h2 id="list-{number}">{text(_title(name))}</h2><p class=told>{told}</p>'
        yield from _table(report, [each for each in entries if each.status is not Status.SKIP])
        yield from _skipped([each for each in entries if each.status is Status.SKIP])
        yield "</section>"


def _by_checklist(report: Report) -> Iterator[tuple[str, list[CheckEntry]]]:
    for name, entries in groupby(report.checks, key=lambda entry: entry.checklist):
        yield name, list(entries)


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _worst(entries: Iterable[CheckEntry]) -> str:
    count = Counter(entry.status for entry in entries)
    for status, word in _WORDS[:4]:
        if count[status]:
            return f"<b class={status.value}>{count[status]} {word}</b>"
    return ""


def _table(report: Report, entries: Sequence[CheckEntry]) -> Iterator[str]:
    if not entries:
        return
    yield f"<table>{_HEAD}<tbody>"
    for _, group in groupby(entries, key=lambda entry: entry.id):
        results = list(group)
        for status in Status:
            same = [entry for entry in results if entry.status is status]
            if status is Status.PASS and len(same) > 1:
                yield _crowd(same, f"{len(same)} objects", "Which")
                continue
            yield from (_row(report, entry) for entry in same[:SHOWN])
            if rest := same[SHOWN:]:
                yield _crowd(rest, f"and {len(rest)} more", "Which")
    yield "</tbody></table>"


def _row(report: Report, entry: CheckEntry) -> str:
    return (
        f"<tr>{_result(entry)}<td>{_check(entry)}</td><td>{_subject(entry)}{_found(entry)}"
        f"{_notes(report, entry)}</td></tr>"
    )


def _crowd(entries: Sequence[CheckEntry], told: str, word: str) -> str:
    names = ", ".join(code(str(entry.subject)) for entry in entries if entry.subject)
    which = f"<details><summary>{word}</summary><p class=names>{names}</p></details>"
    first = entries[0]
    return (
        f"<tr>{_result(first)}<td>{_check(first)}</td><td>{told}{which if names else ''}</td></tr>"
    )


def _result(entry: CheckEntry) -> str:
    return f'<td><span class="status {entry.status.value}">{entry.status.value}</span></td>'


def _check(entry: CheckEntry) -> str:
    """Its sentence, and its id where there is one: an item that no check stands behind has none."""
    id_ = f"<br>{code(entry.id)}" if entry.runbook == entry.id else ""
    return f"{text(entry.title)}{id_}"


def _subject(entry: CheckEntry) -> str:
    return f"{code(str(entry.subject))}<br>" if entry.subject else ""


def _found(entry: CheckEntry) -> str:
    # What to look at was written by the checklist's author, in Markdown; the rest is plain.
    reason = text(entry.reason)
    return _CODE.sub(r"<code>\1</code>", reason) if entry.status is Status.MANUAL else reason


def _notes(report: Report, entry: CheckEntry) -> str:
    notes = ""
    if entry.needs:
        notes += f"<p class=needs>Needs: {text(entry.needs)}</p>"
    causes = ", ".join(code(each.cause) for each in blamed(report, entry))
    if causes and entry.status is not Status.PASS:
        notes += f"<p class=needs>Root cause: {causes}</p>"
    return notes


def _skipped(entries: Sequence[CheckEntry]) -> Iterator[str]:
    if not entries:
        return
    number = len({entry.id for entry in entries})
    told = "One check does not apply" if number == 1 else f"{number} checks do not apply"
    yield f"<details class=skipped><summary>{told}</summary>"
    yield f"<table>{_HEAD}<tbody>"
    for (_, reason), group in groupby(entries, key=lambda entry: (entry.id, entry.reason)):
        same = list(group)
        if len(same) > 1:
            yield _crowd(same, f"{text(reason)}: {len(same)} objects", "Which")
        else:
            yield f"<tr>{_result(same[0])}<td>{_check(same[0])}</td>"
            yield f"<td>{_subject(same[0])}{text(reason)}</td></tr>"
    yield "</tbody></table></details>"
