"""Small things that all text renderers need: harmless text, wrapping, colour."""

from __future__ import annotations

import textwrap

import click

Style = dict[str, str | bool]

COLORS: dict[str, Style] = {
    "PASS": {"fg": "green"},
    "WARN": {"fg": "yellow"},
    "FAIL": {"fg": "red", "bold": True},
    "UNKNOWN": {"fg": "magenta"},
    "SKIP": {"dim": True},
    "MANUAL": {"fg": "cyan"},
    "cause": {"fg": "red", "bold": True},
    "heading": {"bold": True},
    "quiet": {"dim": True},
}


def harmless(text: str) -> str:
    """One line without control characters: texts from a cluster must not steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text.strip())


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of at most ``width`` columns, each after ``indent``; long words stay whole."""
    return textwrap.wrap(
        harmless(text),
        max(width, 30),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def styled(text: str, style: str, *, color: bool) -> str:
    """Coloured where asked for; the words alone always say everything."""
    return click.style(text, **COLORS[style]) if color else text  # type: ignore[arg-type]
