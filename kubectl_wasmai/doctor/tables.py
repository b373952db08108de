"""Users' own signatures, and causes of their own that only those signatures name.

::

    [[signature]]
    cause = "licence-expired"
    …

    [cause.licence-expired]            # not needed for a cause of the catalogue
    title = "The model's licence has expired"
    summary = "Ask for a new licence for {name}."
    commands = ["kubectl -n {namespace} get deployment {name}"]
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai import toml
from kubectl_wasmai.doctor.causes import ACTIONS, Cause, causes
from kubectl_wasmai.doctor.model import Subject
from kubectl_wasmai.doctor.signatures import Signature  # noqa: TC001 - msgspec resolves it
from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one file says."""

    signature: tuple[Signature, ...]
    cause: dict[str, Cause] = {}


def read_table(path: str) -> Table:
    """Raises ``InputError`` naming the file and what is wrong in it."""
    try:
        document: dict[str, Any] = toml.loads(Path(path).read_text("utf-8"))
        for own in (document.get("cause") or {}).values():
            # A cause of their own has no runbook page of ours.
            own.setdefault("runbook", "")
            own.setdefault("action", "edit-workload")
        table = msgspec.convert(document, Table)
        for signature in table.signature:
            re.compile(signature.pattern)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, toml.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"{path} is no valid table of signatures: {error}") from error
    except (AttributeError, RecursionError, OverflowError, re.error) as error:
        raise InputError(f"{path} is no valid table of signatures: {error}") from error
    _refuse_unknown(path, table)
    return table


def catalogue(tables: Iterable[Table]) -> dict[str, Cause]:
    """All causes: the package's, then users' own."""
    known = dict(causes())
    for table in tables:
        known.update(table.cause)
    return known


def _refuse_unknown(path: str, table: Table) -> None:
    for id_, cause in table.cause.items():
        if id_ in causes() or not _ID.fullmatch(id_):
            what = "is a cause of the catalogue" if id_ in causes() else "is no kebab-case id"
            raise InputError(f"{path}: cause.{id_} {what}", "give it an id of its own")
        if cause.action not in ACTIONS:
            raise InputError(
                f"{path}: cause.{id_} has an unknown action {cause.action!r}",
                f"known: {', '.join(ACTIONS)}",
            )
        try:
            cause.remedy(Subject("Pod", "a", "b"), {})
            cause.remedy(Subject("Deployment", "a", "b"), {})
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise InputError(f"{path}: cause.{id_} has a bad placeholder: {error}") from error
    for signature in table.signature:
        if signature.cause not in causes() and signature.cause not in table.cause:
            raise InputError(
                f"{path}: there is no cause {signature.cause!r}",
                f"describe it in the same file: [cause.{signature.cause}] with title and summary",
            )
