"""Small things that all text renderers need: harmless text, wrapping, colour."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import click
import msgspec

from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry, ObjectRef, Report

Style = dict[str, str | bool]

COLORS: dict[str, Style] = {
    "PASS": {"fg": "green"},
    "WARN": {"fg": "yellow"},
    "FAIL": {"fg": "red", "bold": True},
    "UNKNOWN": {"fg": "magenta"},
    "SKIP": {"dim": True},
    "MANUAL": {"fg": "cyan"},
    "cause": {"fg": "red", "bold": True},
    "heading": {"bold": True},
    "quiet": {"dim": True},
}


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of at most ``width`` columns, each after ``indent``; long words stay whole."""
    return textwrap.wrap(
        harmless(text),
        max(width, 30),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def styled(text: str, style: str, *, color: bool) -> str:
    """Coloured where asked for; the words alone always say everything."""
    return click.style(text, **COLORS[style]) if color else text  # type: ignore[arg-type]


VERDICTS = {
    "healthy": "everything that could be judged is well",
    "degraded": "nothing is broken, something wants attention",
    "broken": "something does not work",
    "inconclusive": "nothing could be judged",
}

_MARKUP = re.compile(r"([\\`*_\[\]<>|~#&])")


def markdown(text: str) -> str:
    """Plain words for a Markdown page: nothing in them becomes markup, a link or HTML."""
    return _MARKUP.sub(r"\\\1", harmless(text))


def code(text: str) -> str:
    """A Markdown code span, closed by more backticks than the text has in a row."""
    plain = harmless(text) or " "
    runs = re.findall(r"`+", plain)
    fence = "`" * (1 + max((len(run) for run in runs), default=0))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


MANY = 3
"""Objects of one kind in one namespace that are named; more are counted."""


def folded(names: Sequence[str]) -> str:
    """Checks by id, then objects: forty pods of a namespace are one phrase."""
    checks = [name for name in names if " " not in name]
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        kind, space, path = name.partition(" ")
        if space:
            namespace, _, own = path.rpartition("/")
            groups.setdefault((kind, namespace), []).append(own)
    told = [", ".join(checks)] if checks else []
    for (kind, namespace), found in groups.items():
        where = f"{namespace}/" if namespace else ""
        if len(found) > MANY:
            some = ", ".join(found[:MANY])
            within = f" in {namespace}" if namespace else ""
            told.append(f"{len(found)} {kind}s{within}: {some}, …")
        else:
            told.append(", ".join(f"{kind} {where}{own}" for own in found))
    return "; ".join(told)


def blamed(report: Report, entry: CheckEntry) -> list[DiagnosisEntry]:
    """The root causes that account for one check's result on its object."""
    about = [each for each in report.diagnoses if entry.id in each.explains]
    subject = str(entry.subject) if entry.subject else ""
    exact = [each for each in about if subject in (str(each.subject), *each.explains)]
    return exact or (about if not subject else [])


def only_subject(entries: list[CheckEntry]) -> ObjectRef | None:
    """The one object that a checklist is about: said once, not on every line."""
    subjects = {entry.subject for entry in entries if entry.subject}
    return next(iter(subjects)) if len(subjects) == 1 else None


def without(subject: ObjectRef | None, entries: list[CheckEntry]) -> list[CheckEntry]:
    if subject is None:
        return entries
    return [msgspec.structs.replace(entry, subject=None) for entry in entries]
