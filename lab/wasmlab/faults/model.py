"""What a fault is: objects that are wrong, or a node made wrong, and what a doctor must say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasmlab.client import Lab

Object = dict[str, Any]


def nothing(_: Lab) -> None:
    """For faults that leave the node alone."""


@dataclass(frozen=True)
class Expected:
    """One diagnosis that must be made. An empty ``namespace`` means the fault's own, unless the
    kind is cluster-scoped (``cluster`` is true)."""

    cause: str
    kind: str = "Deployment"
    name: str = "web"
    namespace: str = ""
    cluster: bool = False


@dataclass(frozen=True)
class Fault:
    """``name`` is the cause's id, with ``--variant`` where a cause has several faces.

    ``objects`` are applied in order into a namespace of the fault's own (``metadata.namespace``
    is filled in for namespaced kinds without one). ``shows`` is a regular expression that the
    recorded texts contain once the fault can be seen. ``before`` and ``after`` change a node and
    change it back; such faults run alone (``exclusive``). ``namespaces`` are recorded besides.
    ``nodes``, ``containerd``, ``registry`` are the shape of lab it needs.
    """

    name: str
    expected: tuple[Expected, ...]
    objects: tuple[Object, ...]
    shows: str
    before: Callable[[Lab], None] = nothing
    after: Callable[[Lab], None] = nothing
    change: Callable[[Lab, str], None] | None = None
    exclusive: bool = False
    namespaces: tuple[str, ...] = field(default=())
    nodes: int = 1
    containerd: int = 1
    registry: bool = False

    @property
    def namespace(self) -> str:
        return f"f-{self.name}"[:63].rstrip("-")
