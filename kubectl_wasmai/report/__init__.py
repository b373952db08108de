"""Renders the doctor's report: one function per form, all from the same document."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TextIO

from kubectl_wasmai.report.as_html import as_html
from kubectl_wasmai.report.as_junit import as_junit
from kubectl_wasmai.report.as_markdown import as_markdown
from kubectl_wasmai.report.as_prometheus import as_prometheus
from kubectl_wasmai.report.as_sarif import as_sarif
from kubectl_wasmai.report.as_table import Look, render, render_diagnoses, render_quiet
from kubectl_wasmai.report.documents import as_json, as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_wasmai.doctor import Report
    from kubectl_wasmai.doctor.checklist import Checklist

__all__ = ["FORMATS", "write_diagnoses", "write_quiet", "write_report"]

_DOCUMENTS: dict[str, Callable[[Report], str]] = {
    "json": as_json,
    "yaml": as_yaml,
    "junit": as_junit,
    "html": as_html,
    "sarif": as_sarif,
    "prometheus": as_prometheus,
}
FORMATS = ("table", "wide", "json", "yaml", "junit", "markdown", "html", "sarif", "prometheus")


def write_report(
    report: Report,
    form: str,
    file: TextIO,
    *,
    color: bool = False,
    checklists: Sequence[Checklist] = (),
    causes_last: bool = False,
    strict: bool = False,
) -> None:
    """Writes ``report`` in one of ``FORMATS``; ``markdown`` gives ``checklists`` back. Of tables:
    ``causes_last`` is for terminals, and ``strict`` tells the exit code that ``--strict`` gives."""
    if form in _DOCUMENTS:
        file.write(_DOCUMENTS[form](report))
    elif form == "markdown":
        file.write(as_markdown(report, checklists))
    else:
        look = Look(_width(), color, form == "wide", causes_last, strict)
        file.write(render(report, look))


def write_quiet(report: Report, file: TextIO, *, color: bool = False) -> None:
    """Writes the verdict and the root causes alone."""
    file.write(render_quiet(report, width=_width(), color=color))


def write_diagnoses(report: Report, file: TextIO, *, color: bool = False) -> None:
    """Writes the root causes alone, for a command that failed and says why."""
    file.write(render_diagnoses(report, width=_width(), color=color))


def _width() -> int:
    """Columns of the terminal, within what is pleasant to read; 80 where there is none."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)
