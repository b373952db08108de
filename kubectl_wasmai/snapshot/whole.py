"""Whole objects, kept for saving as the text that the API server sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.jsonlist import Text
    from kubectl_wasmai.resources import Resource


@dataclass(frozen=True)
class WholeObjects:
    """All objects of one kind: decoded at once, 30,000 pods would take gigabytes."""

    resource: Resource
    texts: tuple[Text, ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """One after the other, each with its kind, which items of a List do not carry."""
        stamp = {"apiVersion": self.resource.api_version, "kind": self.resource.kind}
        for text in self.texts:
            for item in msgspec.json.decode(text.array):
                yield {**stamp, **item}
