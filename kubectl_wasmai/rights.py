"""Rights on the Kubernetes API, as RBAC writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.resources import ALL, POD, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Right(NamedTuple):
    """One verb on one kind, or on a subresource of it (``log``)."""

    verb: str
    resource: Resource
    subresource: str = ""

    @property
    def name(self) -> str:
        """The name in an RBAC rule: ``pods``, ``pods/log``."""
        tail = f"/{self.subresource}" if self.subresource else ""
        return self.resource.plural + tail


def rule(group: str, names: Iterable[str], verbs: Iterable[str]) -> str:
    """One rule as a line of YAML to paste under ``rules:`` of a Role."""

    def quoted(words: Iterable[str]) -> str:
        return ", ".join(f'"{word}"' for word in words)

    return f'- {{apiGroups: ["{group}"], resources: [{quoted(names)}], verbs: [{quoted(verbs)}]}}'


def to_examine() -> Iterator[Right]:
    """What collecting a snapshot asks for: a list of each kind, logs of failing pods, and what
    exporters of GPU metrics tell through the API server's proxy."""
    for resource in ALL:
        yield Right("list", resource)
    yield Right("get", POD, "log")
    yield Right("get", POD, "proxy")
