"""Known texts and the causes they prove: data from ``checks/signatures/*.toml``, matched here.

A signature::

    [[signature]]
    cause = "handler-not-configured"
    where = ["event"]                       # event, waiting, terminated, condition, log
    reason = "FailedCreatePodSandBox"       # optional: the event's or state's reason
    pattern = 'no runtime for "(?P<handler>[^"]+)" is configured'
    certainty = "certain"
    subject = "Node"                        # optional: the pod's node is at fault
    also = ["runtime-lacks-wasm-support"]   # optional: causes that give the same text
    annotated = true                        # optional: only with (or without) crun's annotation
    component = true                        # optional: only of (or not of) what offers GPUs
    example = '''…a real text, recorded…'''
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kubectl_wasmai import gpu, toml
from kubectl_wasmai.doctor.model import Certainty, Finding, Subject
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.wasm import selects_wasm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.symptoms import Symptom


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the tables. ``pattern`` is a regular expression whose named groups become the
    finding's names."""

    cause: str
    where: tuple[str, ...]
    pattern: str
    certainty: Certainty
    example: str
    reason: str = ""
    subject: Literal["workload", "Node"] = "workload"
    annotated: bool | None = None
    component: bool | None = None
    also: tuple[str, ...] = ()

    def fits(self, symptom: Symptom) -> bool:
        """Whether the text is of the kind of pod that this row is about."""
        if self.component not in (None, bool(gpu.role(symptom.view))):
            return False
        annotations = symptom.view.template_annotations
        return self.annotated in (None, selects_wasm(annotations))


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    signature: list[Signature]


@dataclass(frozen=True)
class _Compiled:
    signature: Signature
    regex: re.Pattern[str]

    def is_of(self, where: str, reason: str) -> bool:
        """Whether the row is about texts of this place and reason."""
        return where in self.signature.where and self.signature.reason in ("", reason)


@lru_cache(maxsize=1)
def shipped_signatures() -> tuple[Signature, ...]:
    """All signatures of the package, in file order: the first that matches a text wins."""
    folder = resources.files("kubectl_wasmai.checks.signatures")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(
        signature
        for name in names
        for signature in parse_signatures(folder.joinpath(name).read_text("utf-8"), name)
    )


def parse_signatures(text: str, name: str) -> list[Signature]:
    """Raises ``InputError`` naming the file where a table is not understood."""
    try:
        table: dict[str, Any] = toml.loads(text)
        signatures = msgspec.convert(table, _Table).signature
        for signature in signatures:
            re.compile(signature.pattern)
    except (toml.TOMLDecodeError, msgspec.ValidationError, re.error) as error:
        raise InputError(f"{name} is no valid table of signatures: {error}") from error
    return signatures


def match_signatures(
    symptoms: Iterable[Symptom], signatures: Iterable[Signature]
) -> Iterator[Finding]:
    """For each text the first signature, in table order, that fits it, and what else may."""
    compiled = [_Compiled(each, re.compile(each.pattern)) for each in signatures]
    rows: dict[tuple[str, str], list[_Compiled]] = {}
    for symptom in symptoms:
        kind = (symptom.where, symptom.reason)
        if kind not in rows:
            rows[kind] = [each for each in compiled if each.is_of(*kind)]
        yield from _first_match(symptom, rows[kind])


def _first_match(symptom: Symptom, compiled: list[_Compiled]) -> Iterator[Finding]:
    # Of a log the last fitting line counts: it is the end of the latest attempt.
    texts = symptom.text.splitlines()[::-1] if symptom.where == "log" else [symptom.text]
    for signature, regex in ((each.signature, each.regex) for each in compiled):
        for text in texts:
            match = regex.search(text)
            if match is not None and signature.fits(symptom):
                finding = _finding(symptom, signature, text, match)
                yield finding
                for cause in signature.also:
                    yield replace(finding, cause=cause, certainty=Certainty.POSSIBLE)
                return


def _finding(symptom: Symptom, signature: Signature, text: str, match: re.Match[str]) -> Finding:
    names = {key: value for key, value in match.groupdict().items() if value is not None}
    node = symptom.node if signature.subject == "Node" else ""
    return Finding(
        cause=signature.cause,
        subject=Subject("Node", "", node) if node else symptom.view.subject,
        workloads=(symptom.view.subject,),
        certainty=signature.certainty,
        evidence=(symptom.evidence(text),),
        names={**_place(symptom), **names},
    )


def _place(symptom: Symptom) -> dict[str, str]:
    """Where the text was found, for the remedy."""
    place = {"container": symptom.container, "node": symptom.node}
    return {key: value for key, value in place.items() if value}
