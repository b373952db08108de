"""Takes secrets out before anything is judged.

A report quotes what it judges: arguments joined to a line, one line of a key that goes over many.
Only here it is still known what is an argument's value and where a key begins, and a report of
the redacted file must be that of the cluster, to the byte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from kubectl_wasmai.snapshot.events import RewrittenEvents
from kubectl_wasmai.snapshot.objects import Pod
from kubectl_wasmai.snapshot.redact import Redactor, redact_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kubectl_wasmai.snapshot import ClusterSnapshot, Subject, WorkloadView
    from kubectl_wasmai.snapshot.objects import Event, Object

T = TypeVar("T", bound=msgspec.Struct)

NUMEROUS = ("Pod", "ReplicaSet", "Deployment", "StatefulSet", "Job", "CronJob")
"""Of these only what is about the workloads of interest: no check quotes a stranger's pod."""

LONGEST = 4096
"""Characters of a message, or of a log's line, that are judged: its beginning and its end. Events
have 1,024 at most, and a pattern may take the square of a text's length."""


def clean(
    snapshot: ClusterSnapshot, views: tuple[WorkloadView, ...]
) -> tuple[ClusterSnapshot, tuple[WorkloadView, ...]]:
    """The snapshot and the views that are of interest in it, without secrets."""
    cleaner = _Cleaner()
    cleaned = {view.subject: cleaner.view(view) for view in views}
    about = {subject for view in views for subject in _of(view)}
    objects = {
        kind: _objects(cleaner, kind, items, about) for kind, items in snapshot.objects.items()
    }
    logs = {key: _shortened_lines(redact_text(text)) for key, text in snapshot.logs.items()}
    metrics = {key: redact_text(text) for key, text in snapshot.metrics.items()}
    told = replace(snapshot, objects=objects, logs=logs, metrics=metrics)
    told.keep_views(tuple(cleaned.get(view.subject, view) for view in snapshot.views))
    return told, tuple(cleaned.values())


def _objects(
    cleaner: _Cleaner, kind: str, items: Collection[Object], about: set[Subject]
) -> Collection[Object]:
    if kind == "Event":
        return RewrittenEvents(cast("Collection[Event]", items), cleaner.struct)
    if kind in NUMEROUS:
        return tuple(
            cleaner.struct(each) if (each.kind, each.namespace, each.name) in about else each
            for each in items
        )
    return tuple(map(cleaner.struct, items))


def _shortened(text: str) -> str:
    head, tail = 3 * LONGEST // 4, LONGEST // 4
    return text if len(text) <= LONGEST else f"{text[:head]} … {text[-tail:]}"


def _shortened_lines(text: str) -> str:
    return "\n".join(_shortened(line) for line in text.split("\n"))


def _of(view: WorkloadView) -> Iterable[Subject]:
    yield view.subject
    yield from view.controllers
    yield from (type(view.subject)("Pod", pod.namespace, pod.name) for pod in view.pods)


class _Cleaner:
    """Each pod once, though it stands in the snapshot and in a view."""

    def __init__(self) -> None:
        self._redactor = Redactor(_shortened)
        self._pods: dict[int, Pod] = {}

    def struct(self, item: T) -> T:
        if isinstance(item, Pod):
            if id(item) not in self._pods:
                self._pods[id(item)] = self._redacted(item)
            return self._pods[id(item)]  # type: ignore[return-value]  # a T that is a Pod
        return self._redacted(item)

    def view(self, view: WorkloadView) -> WorkloadView:
        return replace(
            view,
            metadata=self.struct(view.metadata),
            template=self.struct(view.template),
            spec=self.struct(view.spec),
            pods=tuple(self.struct(pod) for pod in view.pods),
            conditions=tuple(self.struct(each) for each in view.conditions),
        )

    def _redacted(self, item: T) -> T:
        plain = msgspec.to_builtins(item)
        redacted = self._redactor.object(plain)
        return item if redacted == plain else msgspec.convert(redacted, type(item))
