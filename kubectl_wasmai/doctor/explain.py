"""The runbook pages, by id of a check, a cause, a family of causes or a checklist."""

from __future__ import annotations

import difflib
import re
from importlib import resources
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.causes import Cause, causes
from kubectl_wasmai.doctor.model import Subject
from kubectl_wasmai.doctor.registry import all_checks
from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$")
_PART = "### "
_FENCE = "```"
_TITLE = re.compile(r"\A# .+\n+")


def index() -> str:
    """Every id and its title, checks first."""
    rows = [("CHECKS", ""), *((check.id, check.title) for check in all_checks())]
    rows += [("", ""), ("ROOT CAUSES", "")]
    rows += [(id_, cause.title) for id_, cause in causes().items()]
    width = max(len(id_) for id_, _ in rows) + 3
    return "".join(f"{id_:<{width}}{title}".rstrip() + "\n" for id_, title in rows)


def page(id_: str) -> str:
    """The Markdown page of ``id_``. Raises ``InputError`` naming the nearest id."""
    cause = causes().get(id_)
    name = cause.runbook if cause else id_
    path = resources.files("kubectl_wasmai.runbooks").joinpath(f"{name}.md")
    known = [*(check.id for check in all_checks()), *causes()]
    if "/" in name or not path.is_file():
        near = difflib.get_close_matches(id_, known, 1)
        raise InputError(
            f"there is no page {id_!r}",
            f"did you mean {near[0]}?" if near else "kubectl wasmai explain lists all ids",
        )
    text = path.read_text("utf-8")
    return _of_cause(id_, cause, text) if cause else text


def _of_cause(id_: str, cause: Cause, family: str) -> str:
    """The page of the family without what is said of its other causes, which are named."""
    remedy = cause.remedy(Subject("<kind>", "<namespace>", "<name>"), {})
    others = [other for other, each in causes().items() if each.runbook == cause.runbook]
    head = f"# {cause.title}\n\n`{id_}`: {remedy.summary}\n\n"
    own = "\n".join(_without(family, {*others} - {id_}, id_))
    tail = f"\n## See also\n\n`kubectl wasmai explain {cause.runbook}` tells it from its neighbours"
    neighbours = ", ".join(f"`{other}`" for other in others if other != id_)
    tail += f": {neighbours}.\n" if neighbours else ".\n"
    return head + _TITLE.sub("", own).rstrip("\n") + "\n" + tail


def _without(text: str, others: Collection[str], own: str) -> Iterator[str]:
    """Lines that are not of a part about another cause; the heading of one's own part goes, too."""
    left_out = fenced = False
    last = ""
    for line in text.splitlines():
        heading = None if fenced else _HEADING.match(line)
        fenced ^= line.startswith(_FENCE)
        if heading:
            left_out = line.startswith(_PART) and heading["text"] in others
        is_own = line == f"{_PART}{own}"
        if not (left_out or is_own or (not line and not last)):
            yield line
            last = line
