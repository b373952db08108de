"""The published schema covers every report."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.doctor.ignoring import Ignore
from kubectl_wasmai.report.documents import as_json
from kubectl_wasmai.snapshot import load

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "doctor-report.schema.json").read_text())
RECORDINGS = sorted((ROOT / "tests" / "gallery").glob("*/settled.tar.gz"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.parent.name)
def test_the_report_of_every_recording_fits_the_schema(recording: Path) -> None:
    report = examine(load(str(recording)), Options(ignores=(Ignore("x", "pod-running"),)))

    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [each.message for each in validator.iter_errors(json.loads(as_json(report)))] == []


def test_the_schema_refuses_what_is_no_report() -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({"kind": "DoctorReport"})
