"""The end of the report for people: what was missing, what is ignored, counts and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.report.rows import lacking_rights
from kubectl_wasmai.report.text import VERDICTS, folded, styled, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.doctor.report import Report

STATUS_WIDTH = 9

EXIT_CODES = {
    0: "nothing failed",
    1: "nothing could be judged",
    3: "something is broken",
    4: "with --strict, warnings and unknowns count",
}
"""As docs/exit-codes.md explains them."""

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet", "Pod")


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


def ignored_lines(report: Report, width: int, *, color: bool) -> Iterator[str]:
    """What raises no alarm, since somebody wants it so; never left out."""
    if not report.ignored:
        return
    yield styled("IGNORED", "heading", color=color)
    for each in report.ignored:
        subject = f"{each.subject}: " if each.subject else ""
        told = wrapped(
            f"{each.id}  {subject}{each.reason} ({each.by})", width - STATUS_WIDTH - 2, ""
        )
        yield f"  {each.was:<{STATUS_WIDTH}}{told[0]}"
        yield from (" " * (STATUS_WIDTH + 2) + line for line in told[1:])
    yield ""


def limits_lines(report: Report, width: int) -> list[str]:
    """What was not looked at, so that nobody takes silence for an answer."""
    unread = report.collection.logs_not_read
    if not unread:
        return []
    text = f"Not read, since too many workloads fail: the logs of {folded(unread)}."
    return [*wrapped(text, width, ""), ""]


def summary_lines(report: Report, width: int, *, color: bool, strict: bool) -> Iterator[str]:
    """Last, where the eye rests when a terminal has scrolled: the verdict, then counts and what
    the exit code means."""
    yield from verdict_lines(report, width, color=color)
    code = report.strict_exit_code if strict else report.exit_code
    pieces = [*_counts(report), (f"exit code {code}: {EXIT_CODES[code]}", "")]
    line, used = "", 0
    for number, (text, style) in enumerate(pieces):
        text_ = text + ("", ";", ",")[min(len(pieces) - 1 - number, 2)]
        if used and used + 1 + len(text_) > width:
            yield line
            line, used = "", 0
        line += (" " if used else "") + (styled(text_, style, color=color) if style else text_)
        used += len(text_) + bool(used)
    yield line


def verdict_lines(report: Report, width: int, *, color: bool) -> Iterator[str]:
    """The verdict in one word, and whom it blames: one cause on the same line, several below."""
    verdict, causes = report.summary.verdict, report.diagnoses
    style = "cause" if verdict == "broken" else "heading"
    if len(causes) == 1:
        told = [f"{verdict}: {causes[0].cause} ({causes[0].subject})"]
    elif causes:
        told = [f"{verdict}: {len(causes)} root causes"]
    else:
        told = [f"{verdict}: {_said(report)}"]
    yield from (styled(line, style, color=color) for line in wrapped(told[0], width, ""))
    wide = max((len(each.cause) for each in causes), default=0)
    for each in causes if len(causes) > 1 else ():
        yield f"  {each.cause:<{wide}}  {each.certainty.value:<8}  {harmless(str(each.subject))}"


def _said(report: Report) -> str:
    verdict = report.summary.verdict
    if verdict == "broken":
        return "no root cause was found for what failed"
    if any(each.subject and each.subject.kind in _WORKLOADS for each in report.checks):
        return VERDICTS[verdict]
    where = f" in namespace {report.cluster.namespace}" if report.cluster.namespace else ""
    return (
        f"{VERDICTS[verdict]}. No workload{where} asks for WebAssembly or a GPU: only the cluster "
        "itself was judged"
    )


def _counts(report: Report) -> list[tuple[str, str]]:
    summary = report.summary
    counts = (
        (summary.fail, "failed", "FAIL"),
        (summary.warn, "warning" if summary.warn == 1 else "warnings", "WARN"),
        (summary.unknown, "unknown", "UNKNOWN"),
        (summary.pass_, "passed", "PASS"),
        (summary.skip, "skipped", "SKIP"),
        (summary.manual, "for you to judge", "MANUAL"),
        (summary.ignored, "ignored", "heading"),
    )
    return [(f"{count} {word}", style) for count, word, style in counts if count]
