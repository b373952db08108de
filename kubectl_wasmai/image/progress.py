"""How the nouns tell that they go on; who listens is the command line's affair."""

from __future__ import annotations

from collections.abc import Callable

from kubectl_wasmai.image.content import Advance

Start = Callable[[str, int], Advance]
"""Begins a transfer: what it is and its bytes; the result is told of every piece done."""


def silent(_what: str, _total: int) -> Advance:
    """Nobody listens."""
    return lambda _count: None
