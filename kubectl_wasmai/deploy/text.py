"""Plain text as kubectl prints it. Everything that came from a cluster passes :func:`clean`."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def clean(text: str, *, lines: bool = False) -> str:
    """Text that cannot steer a terminal: colours dropped, other control characters made visible.

    Without ``lines`` the result is one line: runs of white space become one blank.
    """
    text = _COLOUR.sub("", text)
    text = text if lines else " ".join(text.split())
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, with the cut made visible."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, show_headers: bool = True
) -> str:
    """A kubectl table: left-aligned, three blanks between columns, no rules."""
    import tabulate

    tabulate.MIN_PADDING = 0  # its default widens every column that is as narrow as its header
    style = tabulate.TableFormat(
        lineabove=None,
        linebelowheader=None,
        linebetweenrows=None,
        linebelow=None,
        headerrow=tabulate.DataRow("", "   ", ""),
        datarow=tabulate.DataRow("", "   ", ""),
        padding=0,
        with_header_hide=None,
    )
    cells = [[clean(cell) or "<none>" for cell in row] for row in rows]
    text = tabulate.tabulate(
        cells,
        headers=headers if show_headers else [],
        tablefmt=style,
        stralign="left",
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return "\n".join(line.rstrip() for line in text.splitlines())


def age(timestamp: str, now: datetime | None = None) -> str:
    """Time since an RFC 3339 timestamp as kubectl's AGE column shows it, or ``<unknown>``."""
    try:
        then = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    except ValueError:
        return "<unknown>"
    return human_duration(((now or datetime.now(timezone.utc)) - then).total_seconds())


def human_duration(seconds: float) -> str:
    """As apimachinery's ``HumanDuration``: 3 significant units at most, ``5m30s``, ``47h``."""
    whole = int(seconds)
    if whole < 0:
        return "0s" if whole >= -1 else "<invalid>"
    steps = (
        (2 * _MINUTE, ((1, "s"),)),
        (10 * _MINUTE, ((_MINUTE, "m"), (1, "s"))),
        (3 * _HOUR, ((_MINUTE, "m"),)),
        (8 * _HOUR, ((_HOUR, "h"), (_MINUTE, "m"))),
        (2 * _DAY, ((_HOUR, "h"),)),
        (8 * _DAY, ((_DAY, "d"), (_HOUR, "h"))),
        (2 * _YEAR, ((_DAY, "d"),)),
        (8 * _YEAR, ((_YEAR, "y"), (_DAY, "d"))),
    )
    for below, units in steps:
        if whole < below:
            return _spell(whole, units)
    return _spell(whole, ((_YEAR, "y"),))


def _spell(seconds: int, units: Sequence[tuple[int, str]]) -> str:
    words = []
    for index, (size, name) in enumerate(units):
        count, seconds = divmod(seconds, size)
        if count or index == 0:
            words.append(f"{count}{name}")
    return "".join(words)


def duration(seconds: float) -> str:
    """A waiting time as Go writes it: ``45s``, ``2m0s``, ``1h0m0s``."""
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
