"""Renders the doctor's report: one function per form, all from the same document."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TextIO

from kubectl_wasmai.report.as_table import render, render_diagnoses
from kubectl_wasmai.report.documents import as_json, as_yaml

if TYPE_CHECKING:
    from kubectl_wasmai.doctor import Report

__all__ = ["FORMATS", "write_diagnoses", "write_report"]

FORMATS = ("table", "wide", "json", "yaml")


def write_report(report: Report, form: str, file: TextIO, *, color: bool = False) -> None:
    """Writes ``report`` in one of ``FORMATS``."""
    if form == "json":
        file.write(as_json(report))
    elif form == "yaml":
        file.write(as_yaml(report))
    else:
        file.write(render(report, width=_width(), color=color, wide=form == "wide"))


def write_diagnoses(report: Report, file: TextIO, *, color: bool = False) -> None:
    """Writes the root causes alone, for a command that failed and says why."""
    file.write(render_diagnoses(report, width=_width(), color=color))


def _width() -> int:
    """Columns of the terminal, within what is pleasant to read; 80 where there is none."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)
