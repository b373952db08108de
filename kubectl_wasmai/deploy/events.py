"""Events as recorded by the cluster, with the best time each of them can give."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_wasmai.deploy.text import clean
from kubectl_wasmai.startup import Moment, first_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Event(NamedTuple):
    """One event: about whom (``uid``), what, when first and when last."""

    uid: str
    reason: str
    message: str
    first: Moment | None
    last: float

    @property
    def text(self) -> str:
        """Reason and message in one clean line."""
        return f"{clean(self.reason)}: {clean(self.message)}"


def parse_event(raw: Mapping[str, Any]) -> Event:
    """From either API's event, as served by the core API."""
    series = raw.get("series") or {}
    micro = parse_time(raw.get("eventTime"))
    first = parse_time(raw.get("firstTimestamp")) or micro
    last = parse_time(series.get("lastObservedTime")) or parse_time(raw.get("lastTimestamp"))
    return Event(
        uid=str((raw.get("involvedObject") or {}).get("uid", "")),
        reason=str(raw.get("reason") or ""),
        message=str(raw.get("message") or ""),
        first=first_moment(str((raw.get("metadata") or {}).get("name", "")), first, micro),
        last=last or micro or first or 0.0,
    )


def parse_events(raws: Iterable[Mapping[str, Any]]) -> list[Event]:
    """Oldest first; the order of the last occurrence decides what is the news."""
    return sorted((parse_event(raw) for raw in raws), key=lambda event: event.last)


def parse_time(text: object) -> float | None:
    """RFC 3339 to seconds since the epoch; ``None`` for anything else."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(_six_digits(text.replace("Z", "+00:00"))).timestamp()
    except ValueError:
        return None


def _six_digits(text: str) -> str:
    # Python 3.10 reads fractions of 3 or 6 digits only; the API writes up to 9.
    return re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), text)
