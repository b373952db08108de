"""Findings that somebody has looked at and wants no alarm for: counted and named, never green.

By an option, ``--ignore image-pull-failed=Deployment/shop/web``, or by an annotation on the
object itself, ``wasmai.dev/ignore: image-pull-failed``, which lives as long as the object does.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kubectl_wasmai.resources import BY_KIND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kubectl_wasmai.doctor.model import Subject
    from kubectl_wasmai.snapshot import ClusterSnapshot

ANNOTATION = "wasmai.dev/ignore"
"""Its value: ids of checks and causes, separated by commas or spaces."""

_UNINTERESTING = ("Event",)


@dataclass(frozen=True)
class Ignore:
    """One ``--ignore``. Namespace and name may hold ``*``; an empty kind means all objects."""

    text: str
    id: str
    kind: str = ""
    namespace: str = "*"
    name: str = "*"

    def matches(self, id_: str, subject: Subject | None) -> bool:
        if id_ != self.id:
            return False
        if not self.kind:
            return True
        return (
            subject is not None
            and subject.kind.lower() == self.kind
            and fnmatchcase(subject.namespace, self.namespace)
            and fnmatchcase(subject.name, self.name)
        )


def parse_ignore(text: str, known: Collection[str]) -> Ignore:
    """``ID``, ``ID=KIND/NAMESPACE/NAME`` or ``ID=KIND/NAME``, which is in whatever namespace.

    Raises ``ValueError`` for another form, or an id that is not ``known``.
    """
    id_, equals, path = text.partition("=")
    if id_ not in known:
        near = difflib.get_close_matches(id_, known, 1)
        hint = f"did you mean {near[0]}?" if near else "kubectl wasmai explain lists all"
        raise ValueError(f"there is no check or cause {id_!r}; {hint}")
    if not equals:
        return Ignore(text, id_)
    parts = path.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"{path!r} names no object; write {id_}=Deployment/default/web")
    kinds = {kind.lower() for kind in BY_KIND}
    if parts[0].lower() not in kinds:
        raise ValueError(f"there is no kind {parts[0]!r}; write it as in YAML: Deployment")
    namespace = parts[1] if len(parts) == 3 else "*"  # noqa: PLR2004 - kind, namespace, name
    return Ignore(text, id_, parts[0].lower(), namespace, parts[-1])


@dataclass(frozen=True)
class Ignoring:
    """What is ignored in one snapshot: by options, and by kind, namespace and name of objects
    with the annotation."""

    rules: tuple[Ignore, ...]
    annotated: dict[tuple[str, ...], frozenset[str]]

    @classmethod
    def of(cls, snapshot: ClusterSnapshot, rules: tuple[Ignore, ...]) -> Ignoring:
        annotated: dict[tuple[str, ...], frozenset[str]] = {
            (kind, each.namespace, each.name): _ids(value)
            for kind, objects in snapshot.objects.items()
            if kind not in _UNINTERESTING
            for each in objects
            if (value := (each.metadata.annotations or {}).get(ANNOTATION))
        }
        return cls(rules, annotated)

    def by(self, id_: str, subjects: Iterable[Subject | None]) -> str:
        """What silences this check or cause on all of the objects; empty where nothing does."""
        reasons = [self._by(id_, subject) for subject in subjects]
        return reasons[0] if reasons and all(reasons) else ""

    def _by(self, id_: str, subject: Subject | None) -> str:
        for rule in self.rules:
            if rule.matches(id_, subject):
                return f"--ignore {rule.text}"
        if subject is not None and id_ in self.annotated.get(tuple(subject), ()):
            return f"annotation {ANNOTATION} of {subject}"
        return ""


def _ids(value: str) -> frozenset[str]:
    return frozenset(value.replace(",", " ").split())
