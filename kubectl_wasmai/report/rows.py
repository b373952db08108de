"""Which lines a checklist gets in a terminal: what several checks say alike is said once."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.rights import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_wasmai.doctor.report import CheckEntry, Report

FOLDED = (Status.SKIP, Status.UNKNOWN)
"""What is not judged is worth a line, not one for each check."""


class Row(NamedTuple):
    """Results of one status: of one check, or of several that give the same reason."""

    status: Status
    ids: tuple[str, ...]
    entries: tuple[CheckEntry, ...]


def rows(entries: Sequence[CheckEntry], *, fold: bool) -> list[Row]:
    """In declared order; with ``fold`` what is not judged follows: what is unknown for one reason
    in one row, and all that does not apply in another."""
    single: list[Row] = []
    folded: dict[tuple[Status, str, str], list[Row]] = {}
    for id_, group in groupby(entries, key=lambda entry: entry.id):
        results = list(group)
        for status in Status:
            same = tuple(entry for entry in results if entry.status is status)
            if not same:
                continue
            row = Row(status, (id_,), same)
            if fold and status in FOLDED and len(same) == len(results) and _is_alike(same):
                folded.setdefault(_reason(same[0]), []).append(row)
            else:
                single.append(row)
    single += [found[0] for found in folded.values() if len(found) == 1]
    shared = [_merged(found) for found in folded.values() if len(found) > 1]
    return [*_in_order(entries, single), *sorted(shared, key=lambda row: row.status is Status.SKIP)]


def _reason(entry: CheckEntry) -> tuple[Status, str, str]:
    """What does not apply needs no reason at first sight: ``-o wide`` gives it."""
    skipped = entry.status is Status.SKIP
    return entry.status, "" if skipped else entry.reason, "" if skipped else entry.needs


def _is_alike(entries: tuple[CheckEntry, ...]) -> bool:
    return entries[0].status is Status.SKIP or len({_reason(entry) for entry in entries}) == 1


def _in_order(entries: Sequence[CheckEntry], found: list[Row]) -> list[Row]:
    places = {entry.id: place for place, entry in reversed(list(enumerate(entries)))}
    return sorted(found, key=lambda row: places[row.ids[0]])


def _merged(found: list[Row]) -> Row:
    ids = tuple(id_ for row in found for id_ in row.ids)
    return Row(found[0].status, ids, tuple(entry for row in found for entry in row.entries))


def lacking_rights(report: Report) -> Iterator[str]:
    """The rules that would answer what is unknown for want of rights, one for each API group."""
    names: dict[tuple[str, str], list[str]] = {}
    for each in report.collection.denied:
        name, _, group = each.resource.partition(".")
        names.setdefault((group, each.verb), []).append(name)
    for (group, verb), found in names.items():
        yield rule(group, dict.fromkeys(found), [verb])
