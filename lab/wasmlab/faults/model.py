"""What a fault is: objects that are wrong, or a node made wrong, and what a doctor must say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasmlab.client import Lab

Object = dict[str, Any]

FIRST_TWO = ("first", "settled")
"""Where nothing changes any more after the first minute."""
ALL = ("first", "settled", "late")


def nothing(_: Lab, __: str) -> object:
    """For steps that leave nothing behind."""
    return None


@dataclass(frozen=True)
class Step:
    """What objects alone cannot bring about, and how it is taken back. Both are told the fault's
    namespace."""

    do: Callable[[Lab, str], object]
    undo: Callable[[Lab, str], object] = nothing


@dataclass(frozen=True)
class Expected:
    """One diagnosis that must be made. An empty ``namespace`` means the fault's own, unless the
    kind is cluster-scoped (``cluster`` is true)."""

    cause: str
    kind: str = "Deployment"
    name: str = "web"
    namespace: str = ""
    cluster: bool = False

    def subject(self, namespace: str) -> dict[str, str]:
        """As a report writes it; ``namespace`` is the fault's."""
        space = "" if self.cluster else self.namespace or namespace
        return {"kind": self.kind, "namespace": space, "name": self.name}


@dataclass(frozen=True)
class Shape:
    """What kind of lab a fault needs."""

    nodes: int = 1
    containerd: int = 1
    registry: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The words for ``lab up``."""
        words = ("--nodes", str(self.nodes), "--containerd", str(self.containerd))
        return (*words, "--registry") if self.registry else words

    def serves(self, wanted: Shape) -> bool:
        """A registry that nobody asks is no difference."""
        same = (self.nodes, self.containerd) == (wanted.nodes, wanted.containerd)
        return same and (self.registry or not wanted.registry)


@dataclass(frozen=True)
class Fault:
    """``name`` is the cause's id, with ``--variant`` where a cause has several faces.

    ``first`` are taken, then ``objects`` applied in order into a namespace of the fault's own
    (``metadata.namespace`` is filled in for namespaced kinds without one), ``then`` the rest.
    ``shows`` are regular expressions that the recorded texts contain once the fault can be seen.
    A fault that changes a node runs alone (``exclusive``). ``namespaces`` and ``kinds`` are
    recorded besides. Of every moment a recording is made as one file per kind, and one more in
    each of ``forms``, named after it. ``exit_code`` is the doctor's, where it is not the usual
    one (3 with a diagnosis, else 0).
    """

    name: str
    expected: tuple[Expected, ...]
    objects: tuple[Object, ...]
    shows: str | tuple[str, ...]
    first: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    exclusive: bool = False
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    moments: tuple[str, ...] = FIRST_TWO
    forms: tuple[str, ...] = ()
    shape: Shape = Shape()
    exit_code: int | None = None

    @property
    def namespace(self) -> str:
        return f"f-{self.name}"[:63].rstrip("-")

    def on(self, shape: Shape, name: str) -> Fault:
        """The same on another lab."""
        return replace(self, shape=shape, name=name)
