"""Writes docs/doctor-report.schema.json from the types the report is made of."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from kubectl_wasmai.doctor.report import Report

PAGE = Path(__file__).parents[1] / "doctor-report.schema.json"


def text() -> str:
    """The schema as one JSON document (JSON Schema, draft 2020-12)."""
    schema = msgspec.json.schema(Report)
    report = schema["$defs"]["Report"]["properties"]
    report["apiVersion"] = {"const": "wasmai.dev/v1"}
    report["kind"] = {"const": "DoctorReport"}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "DoctorReport",
        "description": "What `kubectl wasmai doctor -o json` prints. Members may be added.",
    }
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
