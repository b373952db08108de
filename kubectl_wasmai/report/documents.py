"""The report as one stable document, for programs: JSON and YAML of the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.harmless import escaped

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import Report


def as_json(report: Report) -> str:
    """One JSON document, indented by two, ending in a newline."""
    return escaped(msgspec.json.format(msgspec.json.encode(report), indent=2).decode()) + "\n"


def as_yaml(report: Report) -> str:
    """The same members in the same order as YAML."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes a text with unseen characters between double quotes, where they are escaped."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = None if value.isprintable() else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    Dumper.add_representer(str, text)
    document = msgspec.json.decode(msgspec.json.encode(report))
    written = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return escaped(written)
