"""The report as one stable document, for programs: JSON and YAML of the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import Report


def as_json(report: Report) -> str:
    """One JSON document, indented by two, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def as_yaml(report: Report) -> str:
    """The same members in the same order as YAML."""
    import yaml

    document = msgspec.json.decode(msgspec.json.encode(report))
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))
