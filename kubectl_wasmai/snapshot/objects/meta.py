"""What all kinds share: metadata, conditions, selectors, references."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant; without its zone it could not be compared with another."""


class Base(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Camel-case on the wire, unknown fields ignored, immutable."""


class OwnerReference(Base, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Base, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None


class Object(Base, frozen=True):
    """What all kinds share. ``kind`` is absent inside Lists of one kind; the loader fills it."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels or {}

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations or {}


class Condition(Base, frozen=True):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: Time | None = None


class SelectorTerm(Base, frozen=True):
    """``{key, operator, values}`` of a node affinity or a label selector."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class LabelSelector(Base, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: list[SelectorTerm] | None = None
