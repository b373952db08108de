"""A runbook page as a terminal shows it: the little Markdown that our pages use, and no more.

Prose is wrapped to the width, tables get columns, commands stay as they are, to be pasted. A
library for Markdown would cost more start-up time than the whole command.
"""

from __future__ import annotations

import re
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^(`{3,}|~{3,})")
_HEADING = re.compile(r"^(#{1,6}) +(.+)$")
_BULLET = re.compile(r"^(?P<mark>[-*]|\d+\.) +(?P<text>.+)$")
_RULE = re.compile(r"^\|[-:| ]+\|$")
_LINK = re.compile(r"\[(?P<text>[^\[\]]+)\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"(`+)(?P<code>.+?)\1")
_SPAN = re.compile(r"(`[^`]+`|``.+?``)")
_EMPHASIS = re.compile(r"(?<!\w)(?P<stars>\*{1,2})(?P<text>[^\s*][^*]*?)(?P=stars)(?!\w)")
_HARD_SPACE = "\N{NO-BREAK SPACE}"
LEAST_WIDTH = 40
LONGEST_CODE = 60
SECTION = 2
"""The level of headings that a reader looks for."""


def render_page(text: str, *, width: int = 80, color: bool = False) -> str:
    """Ends in a newline. ``width`` in columns; code is never broken, whatever its length."""
    lines: list[str] = []
    for block in _blocks(text):
        if lines and not block[0].startswith("### "):
            lines.append("")
        lines += _block(block, max(width, LEAST_WIDTH), color=color)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _blocks(text: str) -> Iterator[list[str]]:
    """Paragraphs, lists, tables, headings and fenced blocks: what blank lines part, and code."""
    block: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            block.append(line)
            if mark and line.startswith(fence):
                yield block
                block, fence = [], ""
            continue
        if (mark or not line.strip() or _HEADING.match(line)) and block:
            yield block
            block = []
        if mark:
            block, fence = [line], mark[1]
        elif _HEADING.match(line):
            yield [line]
        elif line.strip():
            block.append(line)
    if block:
        yield block


def _block(block: list[str], width: int, *, color: bool) -> list[str]:
    first = block[0]
    heading = _HEADING.match(first)
    if heading:
        return [_heading(len(heading[1]), heading[2], color=color)]
    if _FENCE.match(first):
        body = block[1:-1] if _FENCE.match(block[-1]) else block[1:]
        return [f"    {line}" for line in body]
    if first.startswith("|"):
        return _table(block, width, color=color)
    if _BULLET.match(first):
        return [line for item in _items(block) for line in _item(item, width, color=color)]
    return [_inline(line, color=color) for line in _wrapped(" ".join(block), width, "", "")]


def _heading(level: int, text: str, *, color: bool) -> str:
    plain = text.upper() if level == SECTION else text
    return click.style(plain, bold=True) if color else plain


def _items(block: list[str]) -> Iterator[str]:
    """Each item of a list with the lines that continue it."""
    item = ""
    for line in block:
        if _BULLET.match(line) and item:
            yield item
            item = ""
        item = f"{item} {line.strip()}" if item else line
    yield item


def _item(item: str, width: int, *, color: bool) -> list[str]:
    match = _BULLET.match(item)
    mark, text = (match["mark"], match["text"]) if match else ("", item)
    first = f"  {mark} "
    return [_inline(line, color=color) for line in _wrapped(text, width, first, " " * len(first))]


def _table(block: list[str], width: int, *, color: bool) -> list[str]:
    rows = [_cells(line) for line in block if not _RULE.match(line)]
    columns = max(len(row) for row in rows)
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = _widths(rows, width - 2 * columns)
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = [_wrapped(cell, size, "", "") for cell, size in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            parts = (cell.ljust(size) for cell, size in zip(line, widths, strict=True))
            text = "".join(f"  {part}" for part in parts)
            lines.append(_heading(3, text, color=color) if number == 0 else text)
    return lines[:1] + [_inline(line, color=color) for line in lines[1:]]


def _widths(rows: list[list[str]], free: int) -> list[int]:
    """As wide as the cells where that fits; else the widest that can be broken give way."""
    columns = list(zip(*rows, strict=True))
    # No column is narrower than a letter: one without any text must not break the page.
    widths = [max(1, *map(len, cells)) for cells in columns]
    least = [max(map(_longest_word, cells)) for cells in columns]
    while sum(widths) > free:
        loose = [n for n, size in enumerate(widths) if size > least[n]]
        if not loose:
            break
        widths[max(loose, key=lambda n: widths[n])] -= 1
    return widths


def _longest_word(cell: str) -> int:
    return max((len(word) for word in _joined(cell).split(" ")), default=0)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of whole words; a code span is one word, so that it can be styled and copied."""
    wrapped = textwrap.wrap(
        _joined(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HARD_SPACE, " ") for line in wrapped]


def _joined(text: str) -> str:
    """With ids of linked pages, without emphasis, with hard spaces in code that fits on a line."""

    def code(match: re.Match[str]) -> str:
        return match[0].replace(" ", _HARD_SPACE) if len(match[0]) <= LONGEST_CODE else match[0]

    # Every second part is a code span, in which stars are no emphasis.
    parts = _SPAN.split(_LINK.sub(_link, text))
    parts[::2] = [_EMPHASIS.sub(r"\g<text>", part) for part in parts[::2]]
    return _CODE.sub(code, "".join(parts))


def _link(match: re.Match[str]) -> str:
    """A page of ours by the id that ``explain`` takes, anything else by its address."""
    target = match["target"].rpartition("/")[2].removesuffix(".md")
    return f"{match['text']} ({match['target'] if '://' in match['target'] else target})"


def _inline(line: str, *, color: bool) -> str:
    """Code in colour instead of backticks, which stay where there is no colour."""
    return _CODE.sub(_styled, line) if color else line


def _styled(match: re.Match[str]) -> str:
    return click.style(match["code"].strip(), fg="cyan")
