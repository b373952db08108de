"""The catalogue of root causes: ids that are public API, with title, remedy and runbook.

Data from ``checks/causes/*.toml``. Placeholders such as ``{class}`` are filled with what the
findings captured. Since names come from the cluster, control characters are replaced, and in
commands each value is quoted for a shell: a placeholder there is always one whole word.
"""

from __future__ import annotations

import shlex
from functools import lru_cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING

import msgspec

from kubectl_wasmai import toml
from kubectl_wasmai.doctor.model import Remedy, Subject
from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIONS = (
    "create-object",
    "edit-workload",
    "configure-node",
    "rebuild-image",
    "provide-image",
    "add-capacity",
    "grant-rights",
    "provide-model",
    "repair-component",
    "repair-hardware",
    "free-resources",
)
"""What a remedy asks for, for scripts that route diagnoses to people."""


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the catalogue.

    ``shared``: the captures that identify the object at fault; workloads that share it share one
    diagnosis. ``checks``: those that fail because of it. ``explains``: causes that are mere
    consequences of it on the same workload. ``refuted_by``: checks whose PASS proves the finding
    out of date. ``last_resort``: given up where any other cause is found on the workload.
    ``pod_commands``: for bare pods, most of whose fields cannot be changed in place. ``subject``:
    the kind (or kinds) of the object at fault where it is not the workload.
    """

    title: str
    runbook: str
    action: str
    summary: str
    commands: tuple[str, ...] = ()
    pod_commands: tuple[str, ...] = ()
    subject: str = ""
    last_resort: bool = False
    shared: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    refuted_by: tuple[str, ...] = ()

    def remedy(self, subject: Subject, names: Mapping[str, str]) -> Remedy:
        """The remedy with its placeholders filled. A command whose words are not all known is
        left out; in the sentence an unknown one stays readable: ``<name>``."""
        said = {**_subject_names(subject), **names}
        values = _Values({key: harmless(redact_text(value)) for key, value in said.items()})
        quoted = {key: shlex.quote(value) for key, value in values.items()}
        commands = self.pod_commands if subject.kind == "Pod" else self.commands
        return Remedy(
            summary=self.summary.format_map(values),
            commands=tuple(
                command.format_map(quoted) for command in commands if _words(command) <= set(quoted)
            ),
            action=self.action,
        )


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def _words(command: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(command) if name}


def _subject_names(subject: Subject) -> dict[str, str]:
    resource = BY_KIND.get(subject.kind)
    return {
        "kind": subject.kind,
        "resource": resource.full_name.partition(".")[0] if resource else subject.kind.lower(),
        "namespace": subject.namespace,
        "name": subject.name,
    }


@lru_cache(maxsize=1)
def causes() -> dict[str, Cause]:
    """By id, in the order in which a pod's life meets them."""
    folder = resources.files("kubectl_wasmai.checks.causes")
    tables = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    catalogue: dict[str, Cause] = {}
    for table in tables:
        text = folder.joinpath(table).read_text("utf-8")
        catalogue.update(msgspec.convert(toml.loads(text), dict[str, Cause]))
    return catalogue
