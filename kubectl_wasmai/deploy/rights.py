"""What deploy, list, status, logs and delete ask of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.deploy.ownership import OURS
from kubectl_wasmai.resources import EVENT, POD, REPLICA_SET, RUNTIME_CLASS
from kubectl_wasmai.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITES = ("get", "list", "create", "patch", "delete")
"""A server-side apply is a patch, and a create where the object does not exist yet."""


def to_deploy() -> Iterator[Right]:
    """The objects it makes, the class it chooses, and what waiting for them reads."""
    for resource in OURS:
        yield from (Right(verb, resource) for verb in WRITES)
    yield Right("get", RUNTIME_CLASS)
    yield Right("list", RUNTIME_CLASS)
    yield Right("list", POD)
    yield Right("watch", POD)
    yield Right("list", REPLICA_SET)
    yield Right("list", EVENT)
    yield Right("get", POD, "log")
