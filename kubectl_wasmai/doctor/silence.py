"""Parts what is ignored from what is told, and keeps account of it for the report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.diagnose import NOT_PASSED, blamed_for, diagnose
from kubectl_wasmai.doctor.model import Case, Diagnosis, Finding, Result, Status, Subject
from kubectl_wasmai.doctor.report import IgnoredEntry, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_wasmai.doctor.causes import Cause
    from kubectl_wasmai.doctor.ignoring import Ignoring
    from kubectl_wasmai.doctor.runner import CheckRun


@dataclass
class Silence:
    """Applies what is ignored: first to the causes, then to the checks."""

    ignoring: Ignoring
    case: Case
    runs: Sequence[CheckRun]
    known: Mapping[str, Cause]
    _by: dict[tuple[str, Subject], str] = field(default_factory=dict)
    _told: dict[tuple[str, Subject | None], IgnoredEntry] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[IgnoredEntry, ...]:
        return tuple(self._told.values())

    def diagnoses(self, findings: Iterable[Finding]) -> tuple[Diagnosis, ...]:
        """Those that nobody ignores. A cause that others explain does not come back when what
        explains it is ignored."""
        kept: list[Finding] = []
        silenced: dict[str, list[Finding]] = {}
        for each in findings:
            by = self.ignoring.by(each.cause, [each.subject]) or self.ignoring.by(
                each.cause, each.affected
            )
            (silenced.setdefault(by, []) if by else kept).append(each)
        for by, some in silenced.items():
            for diagnosis in diagnose(self.case, some, self.runs, self.known):
                self._silence(diagnosis, by)
        return diagnose(self.case, kept, self.runs, self.known)

    def _silence(self, diagnosis: Diagnosis, by: str) -> None:
        self._tell(diagnosis.cause, diagnosis.certainty.value, diagnosis.subject,
                   diagnosis.title, by)  # fmt: skip
        for key in blamed_for([diagnosis], self.known):
            self._by[key] = f"{by}, for {diagnosis.cause}"

    def results(
        self, runs: Iterable[CheckRun], diagnoses: Sequence[Diagnosis]
    ) -> tuple[CheckRun, ...]:
        """The runs, where an ignored result is a SKIP that says what it was. What another cause
        accounts for as well, which nobody ignores, stays."""
        blamed = blamed_for(diagnoses, self.known)
        return tuple(
            replace(
                run, results=tuple(self._result(run.check.id, each, blamed) for each in run.results)
            )
            for run in runs
        )

    def _result(
        self, check: str, result: Result, blamed: Mapping[tuple[str, Subject], Diagnosis]
    ) -> Result:
        if result.status not in NOT_PASSED:
            return result
        by = self.ignoring.by(check, [result.subject])
        key = (check, result.subject) if result.subject else None
        if not by and key and key not in blamed:
            by = self._by.get(key, "")
        if not by:
            return result
        self._tell(check, result.status.value, result.subject, result.reason, by)
        said = f"ignored ({by}): {result.status.value}: {result.reason}"
        return replace(result, status=Status.SKIP, reason=said, needs="")

    def _tell(self, id_: str, was: str, subject: Subject | None, reason: str, by: str) -> None:
        entry = IgnoredEntry(id_, was, ObjectRef.of(subject), reason, by)  # type: ignore[arg-type]
        self._told[id_, subject] = entry
