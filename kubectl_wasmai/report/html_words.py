"""Small pieces of the page. Every text of a cluster goes through :func:`text`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kubectl_wasmai.doctor.report import Summary


def text(value: str) -> str:
    """Harmless, and never markup, in content as in attributes."""
    return escape(harmless(value))


def code(value: str) -> str:
    return f"<code>{text(value)}</code>"


def stamp(time: datetime) -> str:
    return f'<time datetime="{time.isoformat()}">{time:%Y-%m-%d %H:%M:%S}</time>'


def facts(*pairs: tuple[str, str]) -> Iterator[str]:
    """Names with their values; without those that have none."""
    yield "<dl class=facts>"
    yield from (
        f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>" for name, value in pairs if value
    )
    yield "</dl>"


def counted(summary: Summary) -> Iterator[str]:
    """The statuses that occur, and how often."""
    words = (
        ("FAIL", summary.fail, "failed"),
        ("WARN", summary.warn, "warning" if summary.warn == 1 else "warnings"),
        ("UNKNOWN", summary.unknown, "unknown"),
        ("PASS", summary.pass_, "passed"),
        ("MANUAL", summary.manual, "to judge"),
        ("SKIP", summary.skip, "skipped"),
        ("SKIP", summary.ignored, "ignored"),
    )
    yield "<ul class=counts>"
    yield from (
        f'<li class="{status}"><b>{count}</b> {word}</li>' for status, count, word in words if count
    )
    yield "</ul>"
