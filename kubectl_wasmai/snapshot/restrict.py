"""Narrows a snapshot to one namespace, as ``-n`` narrows a live one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai.resources import BY_KIND

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot.model import ClusterSnapshot


def restrict(snapshot: ClusterSnapshot, namespace: str | None) -> ClusterSnapshot:
    """The snapshot without other namespaces' objects, logs and metrics; ``None`` keeps all."""
    if namespace is None or namespace == snapshot.info.namespace:
        return snapshot
    return replace(
        snapshot,
        info=msgspec.structs.replace(snapshot.info, namespace=namespace),
        objects={
            kind: tuple(
                each
                for each in each_kind
                if not BY_KIND[kind].namespaced or each.namespace == namespace
            )
            for kind, each_kind in snapshot.objects.items()
        },
        logs={key: text for key, text in snapshot.logs.items() if key.namespace == namespace},
        metrics={key: text for key, text in snapshot.metrics.items() if key.namespace == namespace},
    )
