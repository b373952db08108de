"""The runbook pages, by id of a check, a cause, a family of causes or a checklist."""

from __future__ import annotations

import difflib
from importlib import resources

from kubectl_wasmai.doctor.causes import Cause, causes
from kubectl_wasmai.doctor.model import Subject
from kubectl_wasmai.doctor.registry import all_checks
from kubectl_wasmai.errors import InputError


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
    return _about(id_, cause) + text if cause else text


def _about(id_: str, cause: Cause) -> str:
    """What the catalogue says of one cause, before the page of its family."""
    remedy = cause.remedy(Subject("<kind>", "<namespace>", "<name>"), {})
    return f"{id_}: {cause.title}.\nTo do: {remedy.summary}\n\n"
