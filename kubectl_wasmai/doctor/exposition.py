"""Reads Prometheus' text format, as far as gauges and counters need it.

Exporters write it in several versions and proxies cut it: a line that is not understood is passed
over, never guessed at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(?:,|$)')
_LINE = re.compile(
    rf'(?P<name>{_NAME})(?:\{{(?P<labels>(?:[^"\}}\n]|"(?:[^"\\\n]|\\.)*")*)\}})?'
    r"[ \t]+(?P<value>[^\s]+)(?:[ \t]+-?\d+)?\s*"
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n"}


class Sample(NamedTuple):
    """One line: ``name{labels} value``."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """All lines that are understood, in order; comments and timestamps are dropped."""
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        labels = _labels(match["labels"] or "")
        value = _number(match["value"])
        if labels is not None and value is not None:
            yield Sample(match["name"], labels, value)


def _labels(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    position = 0
    while text[position:].strip():
        match = _LABEL.match(text, position)
        if match is None:
            return None
        found[match[1]] = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), match[2])
        position = match.end()
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
