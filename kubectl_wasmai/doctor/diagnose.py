"""From many findings to few diagnoses: root causes before symptoms, each named once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Diagnosis,
    Evidence,
    Finding,
    Result,
    Status,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_wasmai.doctor.causes import Cause
    from kubectl_wasmai.doctor.runner import CheckRun

MAX_EVIDENCE = 5
NOT_PASSED = (Status.FAIL, Status.WARN, Status.UNKNOWN)
_RANK = {Certainty.CERTAIN: 0, Certainty.LIKELY: 1, Certainty.POSSIBLE: 2}
_Group = tuple[str, tuple[str, ...]]


def roots(
    findings: Iterable[Finding], runs: Sequence[CheckRun], known: Mapping[str, Cause]
) -> list[Finding]:
    """What stands: neither refuted by a check nor the consequence of something else."""
    passed = {
        (run.check.id, result.subject)
        for run in runs
        for result in run.results
        if result.status is Status.PASS
    }
    # Events outlive what they report: a check that passes now overrules them.
    standing = [
        each
        for each in findings
        if not any((check, each.subject) in passed for check in known[each.cause].refuted_by)
    ]
    return _roots(known, standing)


def diagnose(
    case: Case, findings: Iterable[Finding], runs: Sequence[CheckRun], known: Mapping[str, Cause]
) -> tuple[Diagnosis, ...]:
    """Most certain first, then what most pods suffer from, then what explains most, then in the
    order of a pod's life."""
    seen = _Seen(case, runs)
    groups = _groups(known, findings)
    order = {cause: place for place, cause in enumerate(known)}
    diagnoses = [_diagnosis(seen, (id_, known[id_]), group) for (id_, _), group in groups.items()]
    return tuple(
        sorted(
            diagnoses,
            key=lambda d: (
                _RANK[d.certainty],
                -seen.suffering(d.workloads),
                -len(d.explains),
                order[d.cause],
                d.subject,
            ),
        )
    )


class _Seen:
    """What checks and pods say, by the object they are about."""

    def __init__(self, case: Case, runs: Sequence[CheckRun]) -> None:
        self._checks = {run.check.id: place for place, run in enumerate(runs)}
        self._unpassed: dict[Subject | None, set[str]] = {}
        for run in runs:
            for result in run.results:
                if result.status in NOT_PASSED:
                    self._unpassed.setdefault(result.subject, set()).add(run.check.id)
        views = (*case.workloads, *case.components)
        self._views = {view.subject: (place, view) for place, view in enumerate(views)}

    def suffering(self, workloads: tuple[Subject, ...]) -> int:
        """How many pods are not well, or could not even be created."""
        views = [self._views[each][1] for each in workloads if each in self._views]
        return sum(view.refused + sum(not is_well(pod) for pod in view.pods) for view in views)

    def explained(
        self, cause: Cause, subject: Subject, workloads: tuple[Subject, ...]
    ) -> tuple[str, ...]:
        """Checks that do not pass because of it, then other workloads and pods that suffer."""
        failing = set().union(*(self._unpassed.get(each, ()) for each in workloads))
        checks = sorted(failing.intersection(cause.checks), key=self._checks.__getitem__)
        others = [str(each) for each in workloads if each != subject]
        found = sorted(self._views[each] for each in workloads if each in self._views)
        pods = [
            str(Subject("Pod", pod.namespace, pod.name))
            for _, view in found
            for pod in view.pods
            if not is_well(pod)
        ]
        names = dict.fromkeys([*checks, *others, *pods])
        return tuple(name for name in names if name != str(subject))


def _roots(known: Mapping[str, Cause], findings: list[Finding]) -> list[Finding]:
    """Without the consequences of another cause on the same workload or node."""
    explained = {
        (each, consequence)
        for finding in findings
        if finding.certainty is not Certainty.POSSIBLE
        for each in (finding.subject, *finding.affected)
        for consequence in known[finding.cause].explains
    }
    firm = {
        workload
        for finding in findings
        if finding.certainty is not Certainty.POSSIBLE and not known[finding.cause].last_resort
        for workload in finding.affected
    }
    return [
        each
        for each in findings
        if not any((about, each.cause) in explained for about in (each.subject, *each.affected))
        and not (known[each.cause].last_resort and firm.intersection(each.affected))
    ]


def _groups(known: Mapping[str, Cause], findings: Iterable[Finding]) -> dict[_Group, list[Finding]]:
    """Findings that are one diagnosis. One that does not name the shared object joins those of
    its subject that do."""
    groups: dict[_Group, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(known[finding.cause], finding), []).append(finding)
    by_subject = {
        (cause, finding.subject): group
        for (cause, shared), group in groups.items()
        for finding in group
        if shared != tuple(finding.subject)
    }
    for key in [key for key in groups if key[1] == tuple(groups[key][0].subject)]:
        home = by_subject.get((key[0], groups[key][0].subject))
        if home is not None:
            home += groups.pop(key)
    return groups


def _key(cause: Cause, finding: Finding) -> _Group:
    """Findings about one shared object (a class, an image) are one cause; else one a workload."""
    shared = cause.shared
    values = tuple(finding.names.get(name, "") for name in shared)
    return finding.cause, values if any(values) else tuple(finding.subject)


def _diagnosis(seen: _Seen, named: tuple[str, Cause], findings: list[Finding]) -> Diagnosis:
    cause_id, cause = named
    subjects = sorted({each.subject for each in findings})
    workloads = tuple(sorted({workload for each in findings for workload in each.affected}))
    names: dict[str, str] = {}
    # Detectors come before texts, and know more: what they name stays.
    for finding in reversed(findings):
        names.update(finding.names)
    return Diagnosis(
        cause=cause_id,
        title=cause.title,
        certainty=min((each.certainty for each in findings), key=lambda c: _RANK[c]),
        subject=subjects[0],
        workloads=workloads,
        explains=seen.explained(cause, subjects[0], workloads),
        evidence=_evidence(findings),
        remedy=cause.remedy(subjects[0], names),
        runbook=cause.runbook,
    )


def blamed_for(
    diagnoses: Sequence[Diagnosis], known: Mapping[str, Cause]
) -> dict[tuple[str, Subject], Diagnosis]:
    """By check and workload what accounts for its failing; the most important one."""
    return {
        (check, workload): diagnosis
        for diagnosis in reversed(diagnoses)
        if diagnosis.certainty is not Certainty.POSSIBLE
        for check in known[diagnosis.cause].checks
        for workload in diagnosis.workloads
    }


def blame(
    runs: Sequence[CheckRun], diagnoses: Sequence[Diagnosis], known: Mapping[str, Cause]
) -> tuple[CheckRun, ...]:
    """The runs, where what only seemed to be starting or unknown fails: its cause is known."""
    blamed = blamed_for(diagnoses, known)

    def judged(run: CheckRun, result: Result) -> Result:
        diagnosis = blamed.get((run.check.id, result.subject)) if result.subject else None
        if diagnosis is None or result.status not in (Status.WARN, Status.UNKNOWN):
            return result
        return replace(
            result, status=Status.FAIL, reason=f"{result.reason} ({diagnosis.cause})", needs=""
        )

    return tuple(replace(run, results=tuple(judged(run, r) for r in run.results)) for run in runs)


_POD_SUFFIX = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
_COMBINED = "(combined from similar events): "


def _gist(text: str) -> str:
    """The same of each pod of a workload: to say it of another pod is no more evidence."""
    return _POD_SUFFIX.sub("", text.removeprefix(_COMBINED))


def _evidence(findings: list[Finding]) -> tuple[Evidence, ...]:
    """What the objects say first, then texts, newest first; the same text only once."""
    unique: dict[tuple[str, str], Evidence] = {}
    for finding in findings:
        for each in finding.evidence:
            key = (each.source, _gist(each.text))
            known = unique.get(key)
            if known is None or _later(each, known):
                unique[key] = each
    ordered = sorted(
        unique.values(),
        key=lambda e: (e.source != "spec", -(e.time.timestamp() if e.time else 0), e.object),
    )
    return tuple(ordered[:MAX_EVIDENCE])


def _later(one: Evidence, other: Evidence) -> bool:
    return one.time is not None and (other.time is None or one.time > other.time)
