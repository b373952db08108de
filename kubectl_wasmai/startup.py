"""The stages of a pod's start, from the times that its events carry.

An event's ``lastTimestamp`` has a resolution of one second. Its *name* ends in the recorder's
UnixNano in hexadecimal (client-go, ``makeEvent``), which gives the first occurrence exactly. That
is a habit of client-go and no promise, so it is believed only next to the recorded second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

STAGES = ("scheduled", "sandbox", "image pull", "create", "start", "ready", "total")

_HEX_TIME = re.compile(r"\.([0-9a-f]{16})$")
_BELIEVABLE_SECONDS = 2.0
_SKEW_SECONDS = 0.05
"""Recorders stamp an event after the deed, so stages on two clocks may overlap by some ms."""


class Moment(NamedTuple):
    """Seconds since the epoch. ``exact``: better than a second."""

    seconds: float
    exact: bool


class Span(NamedTuple):
    """Length of a stage in seconds. ``exact``: both ends are known better than a second."""

    seconds: float
    exact: bool

    def __str__(self) -> str:
        if self.clocks_differ:
            return "clocks differ"
        seconds = max(self.seconds, 0.0)
        return f"{seconds:.3f}" if self.exact else f"~{seconds:.0f}"

    @property
    def clocks_differ(self) -> bool:
        """Negative beyond what recording late explains: shown, never rounded away."""
        return self.seconds < -_SKEW_SECONDS and self.exact


def first_moment(name: str, first: float | None, micro: float | None) -> Moment | None:
    """When an event first happened: from its ``name``, near its ``first`` timestamp (seconds
    since the epoch), else from ``micro``, its ``eventTime``, else from the timestamp itself."""
    match = _HEX_TIME.search(name)
    if match and first is not None:
        named = int(match[1], 16) / 1e9
        if abs(named - first) < _BELIEVABLE_SECONDS:
            return Moment(named, exact=True)
    if micro is not None:
        return Moment(micro, exact=True)
    return None if first is None else Moment(first, exact=False)


def spans(
    first: Mapping[str, Moment | None], created: Moment | None, ready: Moment | None
) -> dict[str, Span | None]:
    """The stages by name; ``first`` holds the first event of each reason. ``None``: an end of the
    stage was not recorded. Creation and scheduling are told by the control plane's clock, pulling
    to started by the node's."""
    pulling, pulled, started = first.get("Pulling"), first.get("Pulled"), first.get("Started")
    return {
        "scheduled": _between(created, first.get("Scheduled")),
        "sandbox": _between(first.get("Scheduled"), pulling or pulled),
        "image pull": _between(pulling, pulled),
        "create": _between(pulled, first.get("Created")),
        "start": _between(first.get("Created"), started),
        "ready": _between(started, ready),
        "total": _between(created, ready),
    }


def _between(start: Moment | None, end: Moment | None) -> Span | None:
    if start is None or end is None:
        return None
    return Span(end.seconds - start.seconds, start.exact and end.exact)
