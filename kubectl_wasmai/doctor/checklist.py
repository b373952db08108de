"""Reads checklists: Markdown task lists whose links name checks.

``- [ ] [The RuntimeClass exists](runtimeclass-exists.md)`` is the check of that id; an item
without a link is for a person to judge, and the indented lines under it say what to look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

SHIPPED = ("pre-deployment", "runtime", "performance", "readiness")
"""Checklists of the package in the order of a deployment's life."""

_ITEM = re.compile(r"^[-*] \[[ xX]\] (?:\[(?P<title>.+?)\]\((?P<link>[^)]+)\)|(?P<text>.+?))\s*$")
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Item:
    """One line of a checklist. ``check`` is empty for items that a person must judge."""

    text: str
    check: str
    note: str

    @property
    def slug(self) -> str:
        return _SLUG.sub("-", self.text.lower()).strip("-")[:60].rstrip("-")


@dataclass(frozen=True)
class Checklist:
    name: str
    title: str
    items: tuple[Item, ...]


def parse_checklist(name: str, text: str) -> Checklist:
    """Title is the first heading; everything but headings and task-list items is prose."""
    title, items = "", list[Item]()
    in_item = False
    for line in text.splitlines():
        match = _ITEM.match(line)
        if match:
            check = (match["link"] or "").rpartition("/")[2].removesuffix(".md")
            items.append(Item(match["title"] or match["text"], check, ""))
        elif in_item and line.startswith("  ") and line.strip():
            last = items.pop()
            items.append(Item(last.text, last.check, f"{last.note} {line.strip()}".strip()))
        elif not title and line.startswith("# "):
            title = line[2:].strip()
        in_item = bool(match) or (in_item and line.startswith("  "))
    return Checklist(name, title or name, tuple(items))


def shipped_checklists() -> tuple[Checklist, ...]:
    """Those of the package, of the four that are written so far."""
    folder = resources.files("kubectl_wasmai.runbooks")
    found = [(name, folder.joinpath(f"{name}.md")) for name in SHIPPED]
    return tuple(
        parse_checklist(name, path.read_text("utf-8")) for name, path in found if path.is_file()
    )
