"""The report as SARIF 2.1.0, for code scanning and security dashboards.

Rules are the causes and checks that have something to say. PASS, SKIP and MANUAL are left out:
many consumers ignore ``kind`` and would show each of them as an alarm. An UNKNOWN is ``open``.
Objects are logical locations; the path beside them, which is that of the API, is there for
consumers that show no result without a file.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from kubectl_wasmai.doctor.model import Certainty, Severity, Status
from kubectl_wasmai.harmless import harmless
from kubectl_wasmai.resources import BY_KIND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.doctor.model import Evidence
    from kubectl_wasmai.doctor.report import (
        CheckEntry,
        DiagnosisEntry,
        IgnoredEntry,
        ObjectRef,
        Report,
    )

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SHOWN = (Status.FAIL, Status.WARN, Status.UNKNOWN)
SHOWN_WORDS = tuple(status.value for status in SHOWN)
_LEVELS = {Certainty.CERTAIN: "error", Certainty.LIKELY: "error", Certainty.POSSIBLE: "note"}

Json = dict[str, Any]


def as_sarif(report: Report) -> str:
    """One SARIF log of one run."""
    checks = [entry for entry in report.checks if entry.status in SHOWN]
    rules = _rules(report, checks)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [
        *(_diagnosis(each) for each in report.diagnoses),
        *(_check(each) for each in checks),
        *(_ignored(each) for each in report.ignored),
    ]
    run = {
        "tool": {
            "driver": {
                "name": "kubectl-wasmai",
                "semanticVersion": report.tool_version,
                "rules": rules,
            }
        },
        "automationDetails": {"id": f"doctor/{harmless(report.cluster.context) or 'cluster'}/"},
        "invocations": [
            {
                "executionSuccessful": report.summary.verdict != "inconclusive",
                "endTimeUtc": report.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "exitCode": report.exit_code,
            }
        ],
        "results": [{**each, "ruleIndex": index[each["ruleId"]]} for each in results],
        "properties": {"verdict": report.summary.verdict},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rules(report: Report, checks: Iterable[CheckEntry]) -> list[Json]:
    rules: dict[str, Json] = {}
    for diagnosis in report.diagnoses:
        help_ = f"{diagnosis.remedy.summary}\n\nkubectl wasmai explain {diagnosis.cause}"
        rules.setdefault(
            f"cause/{diagnosis.cause}", _rule("cause", diagnosis.cause, diagnosis.title, help_)
        )
    for entry in checks:
        rule = _rule("check", entry.id, entry.title, f"kubectl wasmai explain {entry.id}")
        level = "error" if entry.severity is Severity.ERROR else "warning"
        rules.setdefault(f"check/{entry.id}", {**rule, "defaultConfiguration": {"level": level}})
    for each in report.ignored:
        kind = _kind(each)
        help_ = f"kubectl wasmai explain {each.id}"
        rules.setdefault(f"{kind}/{each.id}", _rule(kind, each.id, each.id, help_))
    return list(rules.values())


def _rule(kind: str, id_: str, title: str, help_: str) -> Json:
    return {
        "id": f"{kind}/{id_}",
        "shortDescription": {"text": harmless(title)},
        "help": {"text": help_},
        "properties": {"tags": [kind]},
    }


def _diagnosis(each: DiagnosisEntry) -> Json:
    commands = "".join(f"\n{harmless(command)}" for command in each.remedy.commands)
    text = f"{harmless(each.title)}: {harmless(str(each.subject))}. {harmless(each.remedy.summary)}"
    return {
        "ruleId": f"cause/{each.cause}",
        "level": _LEVELS[each.certainty],
        "message": {"text": text + commands},
        "locations": [_location(each.subject)],
        "partialFingerprints": _fingerprint("cause", each.cause, str(each.subject)),
        "properties": {
            "certainty": each.certainty.value,
            "explains": [harmless(name) for name in each.explains],
            "evidence": _evidence(each.evidence),
        },
    }


def _check(entry: CheckEntry) -> Json:
    unknown = entry.status is Status.UNKNOWN
    needs = f" (needs: {harmless(entry.needs)})" if entry.needs else ""
    level = "error" if entry.severity is Severity.ERROR else "warning"
    result: Json = {
        "ruleId": f"check/{entry.id}",
        "kind": "open" if unknown else "fail",
        "level": "none" if unknown else level if entry.status is Status.FAIL else "warning",
        "message": {"text": (harmless(entry.reason) or entry.title) + needs},
        "partialFingerprints": _fingerprint("check", entry.id, str(entry.subject or "")),
        "properties": {"status": entry.status.value, "evidence": _evidence(entry.evidence)},
    }
    return {**result, "locations": [_location(entry.subject)]} if entry.subject else result


def _kind(each: IgnoredEntry) -> str:
    return "check" if each.was in SHOWN_WORDS else "cause"


def _ignored(each: IgnoredEntry) -> Json:
    """As somebody wants no alarm for it: consumers count it apart."""
    result: Json = {
        "ruleId": f"{_kind(each)}/{each.id}",
        "level": "warning",
        "message": {"text": harmless(each.reason) or each.id},
        "partialFingerprints": _fingerprint(_kind(each), each.id, str(each.subject or "")),
        "suppressions": [{"kind": "external", "justification": harmless(each.by)}],
        "properties": {"was": each.was},
    }
    return {**result, "locations": [_location(each.subject)]} if each.subject else result


def _location(subject: ObjectRef) -> Json:
    resource = BY_KIND.get(subject.kind)
    parts = [subject.kind, subject.namespace, subject.name]
    namespace = f"namespaces/{quote(harmless(subject.namespace), safe='')}/"
    plural = resource.plural if resource else quote(harmless(subject.kind).lower(), safe="")
    path = (
        f"{namespace if subject.namespace else ''}{plural}/{quote(harmless(subject.name), safe='')}"
    )
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": path},
            "region": {"startLine": 1},
        },
        "logicalLocations": [
            {
                "name": harmless(subject.name),
                "fullyQualifiedName": "/".join(harmless(part) for part in parts if part),
                "kind": "object",
            }
        ],
    }


def _fingerprint(*parts: str) -> Json:
    """The same fault has the same one from run to run: no time, no text, no pod's suffix."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
    return {"wasmai/v1": digest[:32]}


def _evidence(evidence: Iterable[Evidence]) -> list[str]:
    return [harmless(f"{each.source} {each.object}: {each.text}") for each in evidence]
