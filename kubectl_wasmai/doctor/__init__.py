"""Diagnosis: checks and causes over a snapshot. Knows no cluster and no printing."""

from __future__ import annotations

from kubectl_wasmai.doctor.examine import chosen_checklists, examine, prepare, wanted
from kubectl_wasmai.doctor.model import Options
from kubectl_wasmai.doctor.report import Report
from kubectl_wasmai.snapshot import Subject

__all__ = ["Options", "Report", "Subject", "chosen_checklists", "examine", "prepare", "wanted"]
