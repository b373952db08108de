"""The report as one page that needs nothing else: no script, no font, no picture, no network.

A policy in the page itself forbids all of them, so that no text of a cluster can load or run
anything even if an escape were forgotten.
"""

from __future__ import annotations

import re
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.report.html_style import STYLE
from kubectl_wasmai.report.text import VERDICTS, blamed, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.model import Evidence
    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry, Report

_CODE = re.compile(r"`([^`]+)`")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def as_html(report: Report) -> str:
    """One document in UTF-8."""
    verdict = report.summary.verdict
    where = report.cluster.context or "cluster"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_text(f'{verdict}: {where}, {report.generated_at:%Y-%m-%d %H:%M}')}</title>",
        f"<style>\n{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        *_head(report),
        *_diagnoses(report),
        *_checklists(report),
        *_collection(report),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _head(report: Report) -> Iterator[str]:
    summary, cluster = report.summary, report.cluster
    counts = (
        ("FAIL", summary.fail, "failed"),
        ("WARN", summary.warn, "warnings"),
        ("UNKNOWN", summary.unknown, "unknown"),
        ("PASS", summary.pass_, "passed"),
        ("SKIP", summary.skip, "skipped"),
        ("MANUAL", summary.manual, "to judge"),
    )
    facts = [
        ("Cluster", cluster.context),
        ("Namespace", cluster.namespace or ("all" if cluster.source == "live" else "")),
        ("Kubernetes", cluster.server_version),
        ("Nodes", "" if cluster.nodes is None else str(cluster.nodes)),
        ("Seen at", f"{report.generated_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    yield f'<header class="{verdict_class(report)}">'
    yield "<p class=kicker>WebAssembly AI on Kubernetes: the doctor's report</p>"
    yield f"<h1>{_text(summary.verdict.capitalize())}</h1>"
    yield f"<p class=lead>{_text(_lead(report))}</p>"
    yield "<ul class=counts>"
    yield from (
        f'<li class="{status}{"" if count else " none"}"><b>{count}</b> {word}</li>'
        for status, count, word in counts
    )
    yield "</ul>"
    yield "<dl class=facts>"
    yield from (
        f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in facts if value
    )
    yield "</dl>"
    yield "</header>"


def verdict_class(report: Report) -> str:
    return {"healthy": "PASS", "degraded": "WARN", "broken": "FAIL"}.get(
        report.summary.verdict, "UNKNOWN"
    )


def _lead(report: Report) -> str:
    known = [each for each in report.diagnoses if each.certainty.value != "possible"]
    if not known:
        return f"{VERDICTS[report.summary.verdict]}.".capitalize()
    more = f" And {len(known) - 1} more root cause(s), below." if len(known) > 1 else ""
    return f"{known[0].title} ({known[0].subject}).{more}"


def _diagnoses(report: Report) -> Iterator[str]:
    if report.diagnoses:
        yield "<h2>Root causes</h2>"
    for number, diagnosis in enumerate(report.diagnoses, 1):
        yield from _diagnosis(number, diagnosis)


def _diagnosis(number: int, diagnosis: DiagnosisEntry) -> Iterator[str]:
    yield f'<article class="{diagnosis.certainty.value}">'
    yield (
        f"<h3>{number}. {_text(diagnosis.title)}"
        f" <span class=tag>{diagnosis.certainty.value}</span></h3>"
    )
    yield f"<p class=subject><code>{_text(str(diagnosis.subject))}</code></p>"
    yield "<h4>What to do</h4>"
    yield f"<p>{_text(diagnosis.remedy.summary)}</p>"
    for shell in diagnosis.remedy.commands:
        yield f"<pre><code>{_text(shell)}</code></pre>"
    yield "<h4>Why we believe it</h4>"
    yield from _evidence(diagnosis.evidence)
    if diagnosis.explains:
        names = ", ".join(f"<code>{_text(name)}</code>" for name in diagnosis.explains)
        yield f"<details><summary>Explains {len(diagnosis.explains)} more</summary>"
        yield f"<p class=names>{names}</p></details>"
    if diagnosis.runbook:
        page = f"kubectl wasmai explain {diagnosis.cause}"
        yield f"<p class=more>More: <code>{_text(page)}</code></p>"
    yield "</article>"


def _evidence(evidence: Iterable[Evidence]) -> Iterator[str]:
    yield "<ul class=evidence>"
    for each in evidence:
        time = f" <time>{each.time:%H:%M:%S}</time>" if each.time else ""
        yield (
            f"<li><span class=source>{_text(each.source)}</span> {_text(each.object)}{time}"
            f"<blockquote>{_text(each.text)}</blockquote></li>"
        )
    yield "</ul>"


def _checklists(report: Report) -> Iterator[str]:
    for name, entries in groupby(report.checks, key=lambda entry: entry.checklist):
        yield f"<section><h2>{_text(name.replace('-', ' ').capitalize())}</h2>"
        yield "<table><thead><tr><th>Result</th><th>Check</th><th>What was found</th></tr></thead>"
        yield "<tbody>"
        for entry in entries:
            yield from _row(report, entry)
        yield "</tbody></table></section>"


def _row(report: Report, entry: CheckEntry) -> Iterator[str]:
    manual = entry.status is Status.MANUAL
    yield f'<tr><td><span class="status {entry.status.value}">{entry.status.value}</span></td>'
    id_ = "" if manual else f"<br><code>{_text(entry.id)}</code>"
    yield f"<td>{_text(entry.title)}{id_}</td>"
    subject = f"<code>{_text(str(entry.subject))}</code><br>" if entry.subject else ""
    # What to look at was written by the checklist's author, in Markdown; the rest is plain.
    reason = _CODE.sub(r"<code>\1</code>", _text(entry.reason)) if manual else _text(entry.reason)
    yield f"<td>{subject}{reason}"
    if entry.needs:
        yield f"<p class=needs>Needs: <code>{_text(entry.needs)}</code></p>"
    causes = ", ".join(_text(each.cause) for each in blamed(report, entry))
    if causes and entry.status is not Status.PASS:
        yield f"<p class=needs>Root cause: <code>{causes}</code></p>"
    yield "</td></tr>"


def _collection(report: Report) -> Iterator[str]:
    seen = report.collection
    yield "<section><h2>How this was collected</h2><dl class=facts>"
    facts = [("Source", report.cluster.source), ("Tool", f"kubectl wasmai {report.tool_version}")]
    if seen.requests:
        facts += [
            ("Requests", str(seen.requests)),
            ("Received", f"{seen.bytes / 1e6:.1f} MB"),
            ("Took", f"{seen.seconds:.1f} s"),
        ]
    yield from (f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in facts)
    yield "</dl>"
    denied = [
        f"{each.verb} {each.resource}" + (f" in {each.namespace}" if each.namespace else "")
        for each in seen.denied
    ]
    unreadable = [f"{each.object}: {each.reason}" for each in seen.unreadable]
    for title, names in (
        ("Not allowed", denied), ("Not collected", seen.missing), ("Not understood", unreadable),
        ("Logs not read, since too many workloads fail", seen.logs_not_read),
    ):  # fmt: skip
        if names:
            items = "".join(f"<li>{_text(name)}</li>" for name in names)
            yield f"<h4>{title}</h4><ul>{items}</ul>"
    yield "</section>"


def _text(value: str) -> str:
    return escape(harmless(value))
