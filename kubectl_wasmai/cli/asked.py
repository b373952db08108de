"""What was asked of the doctor: reads its flags, and refuses what cannot be meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kubectl_wasmai.doctor import Options
    from kubectl_wasmai.doctor.ignoring import Ignore
    from kubectl_wasmai.doctor.model import Thresholds
    from kubectl_wasmai.snapshot import Subject

KINDS = {
    "deployment": "Deployment",
    "deployments": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
    "sts": "StatefulSet",
    "daemonset": "DaemonSet",
    "daemonsets": "DaemonSet",
    "ds": "DaemonSet",
    "job": "Job",
    "jobs": "Job",
    "cronjob": "CronJob",
    "cronjobs": "CronJob",
    "cj": "CronJob",
    "replicaset": "ReplicaSet",
    "replicasets": "ReplicaSet",
    "rs": "ReplicaSet",
    "pod": "Pod",
    "pods": "Pod",
    "po": "Pod",
}
"""As kubectl reads the kinds of workloads."""


def refuse_contradictions(
    source: str | None, target: str | None, *, watch: bool, quiet: bool, output: str
) -> None:
    """Raises ``UsageError``."""
    if source and target:
        raise click.UsageError("--from and --save-snapshot exclude each other")
    if watch and (source or target):
        raise click.UsageError("--watch looks at a cluster: not with --from or --save-snapshot")
    if watch and output not in ("table", "wide", "json", "yaml"):
        raise click.UsageError(f"--watch prints many reports: not with -o {output}")
    if quiet and output not in ("table", "wide"):
        raise click.UsageError(f"-q prints text: not with -o {output}")


def asked(
    checklists: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    ignored: tuple[str, ...],
    signatures: tuple[str, ...],
    limits: Thresholds,
) -> Options:
    """With the user's own files read: a mistake in them is told before a cluster is asked.

    Raises ``UsageError`` for a name that does not exist, ``InputError`` for a file that is wrong.
    """
    from kubectl_wasmai.doctor import Options
    from kubectl_wasmai.doctor.checklist import SHIPPED, is_file_name, read_checklist
    from kubectl_wasmai.doctor.registry import all_checks
    from kubectl_wasmai.doctor.tables import catalogue, read_table

    checks = [check.id for check in all_checks()]
    tables = tuple(read_table(path) for path in signatures)
    named = tuple(each for each in checklists if not is_file_name(each))
    _refuse_unknown("--checklist", named, SHIPPED, "checklist")
    _refuse_unknown("--check", only, checks, "check")
    _refuse_unknown("--skip", skip, checks, "check")
    if nothing := sorted(set(only) & set(skip)):
        raise click.UsageError(f"--check and --skip {nothing[0]} exclude each other")
    return Options(
        checklists=named,
        only=only,
        skip=skip,
        ignores=tuple(_ignore(each, {*checks, *catalogue(tables)}) for each in ignored),
        own_checklists=tuple(
            read_checklist(each, checks) for each in checklists if is_file_name(each)
        ),
        own_tables=tables,
        thresholds=limits,
    )


def _ignore(text: str, known: Collection[str]) -> Ignore:
    from kubectl_wasmai.doctor.ignoring import parse_ignore

    try:
        return parse_ignore(text, known)
    except ValueError as error:
        raise click.UsageError(f"--ignore {text}: {error}") from error


def _refuse_unknown(flag: str, given: Iterable[str], known: Collection[str], what: str) -> None:
    for each in given:
        if each not in known:
            near = difflib.get_close_matches(each, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise click.UsageError(f"{flag} {each}: there is no such {what}; {hint}")


def named_subject(text: str | None, namespace: str) -> Subject | None:
    """``deployment/web``, ``deploy/web`` or ``pod/web-1`` as an object's name."""
    from kubectl_wasmai.snapshot import Subject

    if text is None:
        return None
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = "deployment", text
    known = KINDS.get(kind.lower().partition(".")[0])
    if known is None or not name or "/" in name:
        raise click.UsageError(
            f"--for {text}: expected KIND/NAME with a kind of {', '.join(sorted(set(KINDS)))}"
        )
    return Subject(known, namespace, name)
