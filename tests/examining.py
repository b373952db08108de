"""Reads reports in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubectl_wasmai.doctor import Report
    from kubectl_wasmai.doctor.report import CheckEntry, DiagnosisEntry


def causes(report: Report) -> list[str]:
    """Causes claimed as certain or likely, in order."""
    return [each.cause for each in report.diagnoses if each.certainty.value != "possible"]


def diagnosis(report: Report) -> DiagnosisEntry:
    """The only diagnosis."""
    (only,) = report.diagnoses
    return only


def result(report: Report, check: str) -> CheckEntry:
    """The only answer of one check."""
    (only,) = [each for each in report.checks if each.id == check]
    return only
