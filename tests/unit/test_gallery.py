"""Replays every recorded cluster: right causes, right subjects, nothing else, right exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kubectl_wasmai.doctor import Subject, examine
from kubectl_wasmai.doctor.causes import causes
from kubectl_wasmai.snapshot import load

GALLERY = Path(__file__).parent.parent / "gallery"
EXPECTATIONS = sorted(GALLERY.glob("*/expected.json"))
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")
RECORDINGS = sorted(GALLERY.glob("*/*.tar.gz"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda p: f"{p.parent.name}/{p.stem[:-4]}")
def test_a_recorded_cluster_is_judged_as_it_was_when_it_was_recorded(recording: Path) -> None:
    expected = json.loads((recording.parent / "expected.json").read_text())

    report = examine(load(str(recording)))

    claimed = [each for each in report.diagnoses if each.certainty.value != "possible"]
    assert [(each.cause, str(each.subject)) for each in claimed] == [
        (each["cause"], str(Subject(**each["subject"]))) for each in expected["diagnoses"]
    ]
    assert report.exit_code == expected["exitCode"]


@pytest.mark.parametrize("path", EXPECTATIONS, ids=lambda path: path.parent.name)
def test_the_subject_is_of_the_kind_that_the_catalogue_names(path: Path) -> None:
    for each in json.loads(path.read_text())["diagnoses"]:
        kinds = re.findall(r"[A-Z]\w+", causes()[each["cause"]].subject)
        assert each["subject"]["kind"] in (kinds or WORKLOADS)


NOT_RECORDED = {"permission-denied"}
"""Of the tool's own rights, not of the cluster: never more than possible."""


def test_every_cause_was_recorded() -> None:
    recorded = {
        each["cause"] for path in EXPECTATIONS for each in json.loads(path.read_text())["diagnoses"]
    }

    assert set(causes()) - recorded == NOT_RECORDED
