"""What changed between two snapshots, as far as the doctor reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot.model import ClusterSnapshot

UNINTERESTING = ("Event",)
"""Events come and go by themselves; what they tell of is in the other objects."""

_Keyed = dict[tuple[str, str, str], Any]


def difference(before: ClusterSnapshot, after: ClusterSnapshot) -> list[str]:
    """Lines such as ``~ Deployment default/web spec.replicas: 1 -> 3``, by kind and name."""
    old, new = _objects(before), _objects(after)
    lines = [_lost(kind) for kind in before.objects if kind not in after.objects]
    for key in sorted(old.keys() | new.keys()):
        kind, namespace, name = key
        label = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
        if key not in new:
            lines.append(f"- {label}")
        elif key not in old:
            lines.append(f"+ {label}")
        else:
            lines += [f"~ {label} {change}" for change in _changes("", old[key], new[key])]
    return lines


def _lost(kind: str) -> str:
    return f"! {kind}: in the first snapshot only; its objects are missing, not deleted"


def _objects(snapshot: ClusterSnapshot) -> _Keyed:
    return {
        (kind, each.namespace, each.name): msgspec.to_builtins(each)
        for kind, objects in snapshot.objects.items()
        if kind not in UNINTERESTING
        for each in objects
    }


def _changes(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}.{key}" if path else key
            yield from _changes(inner, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{path}[{position}]", one, other)
    elif old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _short(value: Any, most: int = 60) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
