"""``-o yaml|json|name``: objects in the forms that ``kubectl apply -f -`` reads again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.resources import BY_KIND

if TYPE_CHECKING:
    from collections.abc import Sequence

_AMBIGUOUS = re.compile(
    r"[-+.]?\d[\d_.:]*(e[-+]?\d+)?|0[xob][\da-f_]+|[-+]?\.(inf|nan)|[yn]", re.IGNORECASE
)
"""Plain strings that Go's YAML reads as a number or a truth value while PyYAML does not: the
commit ``12e5`` in a label, a version ``1e3``, the answer ``y``."""


def render(objects: Sequence[dict[str, Any]], form: str) -> str:
    """Several objects as text without a final newline. ``form`` is yaml, json or name."""
    if form == "name":
        return "\n".join(
            f"{BY_KIND[item['kind']].full_name}/{item['metadata']['name']}" for item in objects
        )
    shown = [without_managed_fields(item) for item in objects]
    if form == "yaml":
        return "---\n".join(to_yaml(item) for item in shown).rstrip("\n")
    return to_json({"apiVersion": "v1", "kind": "List", "items": shown})


def without_managed_fields(item: dict[str, Any]) -> dict[str, Any]:
    """As kubectl shows objects: the bookkeeping of field owners is long and rarely wanted."""
    if "managedFields" not in (item.get("metadata") or {}):
        return item
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}


def to_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=4, ensure_ascii=False)


def to_yaml(document: dict[str, Any]) -> str:
    """One YAML document that Go's and Python's readers understand alike."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "'" if _AMBIGUOUS.fullmatch(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    rendered: str = yaml.dump(
        document, Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=1000
    )
    return rendered
