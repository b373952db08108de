"""Reads checklists: Markdown task lists whose links name checks.

``- [ ] [The RuntimeClass exists](runtimeclass-exists.md)`` is the check of that id; an item
without a link is for a person to judge, and the indented lines under it say what to look at.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SHIPPED = ("pre-deployment", "runtime", "performance", "readiness")
"""Checklists of the package in the order of a deployment's life."""

# Bullets and numbers as GitHub reads task lists, nested ones too.
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)]) \[[ xX]\] +(?P<text>\S.*?)\s*$")
_LINK = re.compile(r"\[(?P<title>[^\[\]]+)\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})")
_BOX = re.compile(r"\[[ xX]\]")
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Item:
    """One line of a checklist. ``check`` is empty for items that a person must judge; ``id``
    is the check's, or made from the text and the only one of its kind in the file."""

    id: str
    text: str
    check: str
    note: str
    line: int = 0


@dataclass(frozen=True)
class Checklist:
    name: str
    title: str
    items: tuple[Item, ...]
    source: str = ""


def parse_checklist(name: str, text: str) -> Checklist:
    """Title is the first heading; everything but headings and task-list items is prose."""
    title, items = "", list[Item]()
    in_item = False
    for line, item in item_lines(text):
        if item is not None:
            items.append(item)
        elif in_item and line.startswith("  ") and line.strip():
            last = items.pop()
            items.append(replace(last, note=f"{last.note} {line.strip()}".strip()))
        elif not title and line.startswith("# "):
            title = line[2:].strip()
        in_item = item is not None or (in_item and line.startswith("  "))
    return Checklist(name, title or name, tuple(items), text)


def item_lines(text: str) -> Iterator[tuple[str, Item | None]]:
    """Every line of a checklist's source, with the item that begins on it. What stands in a
    fenced block is an example and no item."""
    fence, used = "", set[str]()
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r")
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark["fence"]
        elif mark and mark["fence"].startswith(fence):
            fence = ""
        match = None if fence or mark else _ITEM.match(line)
        item = _item(match["text"], number, used) if match else None
        if item is not None:
            used.add(item.id)
        yield line, item


def _item(text: str, number: int, used: Collection[str]) -> Item:
    """The first link to a page of ours names the check; links elsewhere are for the reader."""
    for link in _LINK.finditer(text):
        page = link["target"].partition("#")[0]
        if page.endswith(".md") and "://" not in page:
            check = page.rpartition("/")[2].removesuffix(".md")
            return Item(check, link["title"], check, "", number)
    text = _LINK.sub(lambda link: link["title"], text)
    slug = _SLUG.sub("-", text.lower()).strip("-")[:60].rstrip("-") or "item"
    return Item(slug if slug not in used else f"{slug}-{number}", text, "", "", number)


def tick(line: str, done: bool | None) -> str:
    """An item's line with its box ticked or not; ``None`` leaves it as it is."""
    return line if done is None else _BOX.sub("[x]" if done else "[ ]", line, count=1)


def read_checklist(path: str, known: Collection[str]) -> Checklist:
    """A user's own checklist. Its name is the file's, without ``.md``.

    Raises ``InputError`` for a file that cannot be read, has no item, or links to a check that
    is not ``known``, naming the line.
    """
    try:
        # Line ends as they are: the file is given back.
        text = Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no UTF-8 text"
        raise InputError(f"cannot read the checklist {path}: {reason}") from error
    checklist = parse_checklist(Path(path).stem, text)
    if not checklist.items:
        raise InputError(
            f"{path} has no item", "an item is a line such as: - [ ] [Pods run](pod-running.md)"
        )
    for item in checklist.items:
        if item.check and item.check not in known:
            near = difflib.get_close_matches(item.check, known, 1)
            raise InputError(
                f"{path}, line {item.line}: there is no check {item.check!r}",
                f"did you mean {near[0]}?" if near else "kubectl wasmai explain lists all checks",
            )
    return checklist


def is_file_name(text: str) -> bool:
    """Whether ``--checklist`` names a file: with a folder or ``.md``; else a shipped one."""
    return text.endswith(".md") or "/" in text or os.sep in text


def shipped_checklists() -> tuple[Checklist, ...]:
    """Those of the package, of the four that are written so far."""
    folder = resources.files("kubectl_wasmai.runbooks")
    found = [(name, folder.joinpath(f"{name}.md")) for name in SHIPPED]
    return tuple(
        parse_checklist(name, path.read_text("utf-8")) for name, path in found if path.is_file()
    )
