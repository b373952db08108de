"""The report as one page that needs nothing else: no script, no font, no picture, no network.

A policy in the page itself forbids all of them, so that no text of a cluster can load or run
anything even if an escape were forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Certainty, Status
from kubectl_wasmai.report.html_checklists import checklists, contents
from kubectl_wasmai.report.html_style import STYLE
from kubectl_wasmai.report.html_words import code, counted, facts, stamp, text
from kubectl_wasmai.report.text import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.model import Evidence
    from kubectl_wasmai.doctor.report import DiagnosisEntry, Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
OVERVIEW = 10
"""Lines of the summary at the top."""
NAMED = 12
"""Objects that a cause explains and that are named at once; the others after a click."""


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
        '<meta name="robots" content="noindex">',
        f"<title>{text(f'{verdict}: {where}, {report.generated_at:%Y-%m-%d %H:%M}')}</title>",
        f"<style>\n{STYLE}</style>",
        "</head>",
        "<body>",
        *_head(report),
        *contents(report),
        "<main>",
        *_diagnoses(report),
        *checklists(report),
        *_ignored(report),
        *_collection(report),
        "</main>",
        *_foot(),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _head(report: Report) -> Iterator[str]:
    summary, cluster = report.summary, report.cluster
    color = {"healthy": "PASS", "degraded": "WARN", "broken": "FAIL"}.get(
        summary.verdict, "UNKNOWN"
    )
    yield f'<header class="{color}">'
    yield "<p class=kicker>WebAssembly AI on Kubernetes: the doctor's report</p>"
    yield f"<h1>{text(summary.verdict.capitalize())}</h1>"
    yield from _lead(report)
    yield from counted(summary)
    yield from facts(
        ("Cluster", cluster.context),
        ("Namespace", cluster.namespace or ("all" if cluster.source == "live" else "")),
        ("Kubernetes", cluster.server_version),
        ("Nodes", "" if cluster.nodes is None else str(cluster.nodes)),
        ("Seen at", f"{report.generated_at:%Y-%m-%d %H:%M:%S} UTC"),
    )
    yield "</header>"


def _lead(report: Report) -> Iterator[str]:
    """What is wrong and what to do, for somebody who reads no further."""
    known = [each for each in report.diagnoses if each.certainty is not Certainty.POSSIBLE]
    if len(known) == 1:
        yield f"<p class=lead>{text(known[0].title)}: {code(str(known[0].subject))}</p>"
    elif known:
        yield f"<p class=lead>{len(known)} root causes were found.</p>"
        yield "<ol class=overview>"
        for number, each in enumerate(known[:OVERVIEW], 1):
            link = f'<a href="#cause-{number}">{text(each.title)}</a>'
            yield f"<li>{link}: {code(str(each.subject))}</li>"
        yield "</ol>"
        yield from _more(len(known) - OVERVIEW)
    else:
        yield f"<p class=lead>{text(VERDICTS[report.summary.verdict].capitalize())}.</p>"
        yield from _attention(report)
    seen = report.collection
    gaps = len(seen.denied) + len(seen.unreadable)
    if gaps:
        what = "one thing" if gaps == 1 else f"{gaps} things"
        yield (
            f"<p class=gap>The doctor could not see {what}, which "
            '<a href="#collection">the end of this page</a> names.</p>'
        )


def _more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"<p>And {number} more, below.</p>"


def _attention(report: Report) -> Iterator[str]:
    """Where no root cause is known: what does not pass, the worse first."""
    told = [
        f"<li>{text(each.title)}: {text(each.reason)}</li>"
        for status in (Status.FAIL, Status.WARN)
        for each in report.checks
        if each.status is status
    ]
    if told:
        yield "<ul class=overview>"
        yield from told[:OVERVIEW]
        yield "</ul>"
        yield from _more(len(told) - OVERVIEW)


def _diagnoses(report: Report) -> Iterator[str]:
    if report.diagnoses:
        yield '<h2 id="causes">Root causes</h2>'
    for number, diagnosis in enumerate(report.diagnoses, 1):
        yield from _diagnosis(number, diagnosis)


def _diagnosis(number: int, diagnosis: DiagnosisEntry) -> Iterator[str]:
    certainty = diagnosis.certainty.value
    yield f'<article class="{certainty}" aria-labelledby="cause-{number}">'
    yield (
        f'<h3 id="cause-{number}">{number}. {text(diagnosis.title)}'
        f" <span class=tag>{certainty}</span></h3>"
    )
    yield f"<p class=subject>{code(str(diagnosis.subject))}</p>"
    yield "<h4>What to do</h4>"
    yield f"<p>{text(diagnosis.remedy.summary)}</p>"
    for shell in diagnosis.remedy.commands:
        yield f"<pre><code>{text(shell)}</code></pre>"
    yield "<h4>Why we believe it</h4>"
    yield from _evidence(diagnosis.evidence)
    yield from _explained(diagnosis.explains)
    if diagnosis.runbook:
        page = code(f"kubectl wasmai explain {diagnosis.cause}")
        yield f"<p class=more>More: {page}</p>"
    yield "</article>"


def _evidence(evidence: Iterable[Evidence]) -> Iterator[str]:
    yield "<ul class=evidence>"
    for each in evidence:
        time = f" {stamp(each.time)}" if each.time else ""
        yield (
            f"<li><span class=source>{text(each.source)}</span> {text(each.object)}{time}"
            f"<blockquote>{text(each.text)}</blockquote></li>"
        )
    yield "</ul>"


def _explained(names: tuple[str, ...]) -> Iterator[str]:
    if not names:
        return
    yield "<h4>What it explains</h4>"
    yield f"<p class=names>{', '.join(code(name) for name in names[:NAMED])}</p>"
    if rest := names[NAMED:]:
        yield f"<details><summary>and {len(rest)} more</summary>"
        yield f"<p class=names>{', '.join(code(name) for name in rest)}</p></details>"


def _ignored(report: Report) -> Iterator[str]:
    if not report.ignored:
        return
    yield '<section aria-labelledby="ignored"><h2 id="ignored">Ignored</h2>'
    yield "<p>These raise no alarm, since somebody wants it so.</p>"
    yield '<table><thead><tr><th scope="col">Was</th><th scope="col">Finding</th>'
    yield '<th scope="col">Ignored by</th></tr></thead><tbody>'
    for each in report.ignored:
        subject = f"{code(str(each.subject))}<br>" if each.subject else ""
        yield f'<tr><td><span class="status {each.was}">{each.was}</span></td>'
        yield f"<td>{text(each.reason)}<br>{code(each.id)}</td>"
        yield f"<td>{subject}{text(each.by)}</td></tr>"
    yield "</tbody></table></section>"


def _collection(report: Report) -> Iterator[str]:
    seen = report.collection
    yield '<section aria-labelledby="collection">'
    yield '<h2 id="collection">How this was collected</h2>'
    source = {"live": "a live cluster", "file": "a saved snapshot"}[report.cluster.source]
    yield from facts(
        ("Source", source),
        ("Tool", f"kubectl wasmai {report.tool_version}"),
        ("Requests", str(seen.requests) if seen.requests else ""),
        ("Received", f"{seen.bytes / 1e6:.1f} MB" if seen.requests else ""),
        ("Took", f"{seen.seconds:.1f} s" if seen.requests else ""),
    )
    denied = [
        f"{each.verb} {each.resource}" + (f" in {each.namespace}" if each.namespace else "")
        for each in seen.denied
    ]
    unreadable = [f"{each.object}: {each.reason}" for each in seen.unreadable]
    for title, names in (
        ("Not allowed", denied), ("Not understood", unreadable), ("Not collected", seen.missing),
        ("Logs not read, since too many workloads fail", seen.logs_not_read),
    ):  # fmt: skip
        if names:
            items = "".join(f"<li>{text(name)}</li>" for name in names)
            yield f"<h3>{title}</h3><ul>{items}</ul>"
    yield "</section>"


def _foot() -> Iterator[str]:
    yield "<footer><h2>How to read this</h2><dl>"
    for status, meaning in (
        ("PASS", "it was looked at, and is well"),
        ("WARN", "it works, and wants attention"),
        ("FAIL", "it does not work, or will not"),
        ("UNKNOWN", "the doctor wanted to know and could not; this is no PASS"),
        ("MANUAL", "only a person can judge it"),
        ("SKIP", "it does not apply here"),
    ):
        yield f'<div><dt><span class="status {status}">{status}</span></dt><dd>{meaning}</dd></div>'
    yield "</dl></footer>"
