"""The whole examination: a snapshot in, a report out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.checklist import Checklist, Item, shipped_checklists
from kubectl_wasmai.doctor.clean import clean
from kubectl_wasmai.doctor.diagnose import blame, roots
from kubectl_wasmai.doctor.ignoring import Ignoring
from kubectl_wasmai.doctor.interest import wants_gpu, wants_wasm
from kubectl_wasmai.doctor.model import Case, Options, Result, Severity, Status, Subject
from kubectl_wasmai.doctor.registry import all_checks, all_detectors
from kubectl_wasmai.doctor.report import CheckEntry, ObjectRef, Report, build_report
from kubectl_wasmai.doctor.runner import CheckRun, run_checks
from kubectl_wasmai.doctor.signatures import match_signatures, shipped_signatures
from kubectl_wasmai.doctor.silence import Silence
from kubectl_wasmai.doctor.symptoms import symptoms
from kubectl_wasmai.doctor.tables import catalogue
from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_wasmai.doctor.model import Finding
    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView


def examine(
    snapshot: ClusterSnapshot, options: Options | None = None, *, timings: bool = False
) -> Report:
    """Runs every check and every detector, and reports those that were asked for.

    All checks run even if few are shown: a diagnosis needs their answers. Raises ``InputError``
    where ``options`` name a check, checklist or workload that does not exist.
    """
    options = options or Options()
    case = case_of(snapshot, options)
    runs = run_checks(case, all_checks())
    known = catalogue(options.own_tables)
    found = roots(_findings(case, options), runs, known)
    silence = Silence(Ignoring.of(case.snapshot, options.ignores), case, runs, known)
    diagnoses = silence.diagnoses(found)
    runs = silence.results(blame(runs, diagnoses, known), diagnoses)
    entries = tuple(_entries(runs, options, timings=timings))
    shown = {entry.id for entry in entries}
    if options.only:
        diagnoses = tuple(each for each in diagnoses if shown & set(each.explains))
    ignored = tuple(each for each in silence.entries if each.id in shown or each.id in known)
    return build_report(snapshot, diagnoses, entries, ignored)


def case_of(snapshot: ClusterSnapshot, options: Options) -> Case:
    """What checks and detectors are given. Raises ``InputError`` for a workload that is not
    there."""
    views = snapshot.views
    chosen = _workloads(snapshot, views, options)
    named = {view.subject for view in chosen}
    components = [view for view in views if gpu.role(view) and view.subject not in named]
    snapshot, cleaned = clean(snapshot, (*chosen, *components))
    workloads, offering = cleaned[: len(chosen)], cleaned[len(chosen) :]
    return Case(snapshot, workloads, options.thresholds, offering)


def prepare() -> None:
    """Loads what an examination needs, so that it need not be loaded later."""
    all_checks()
    all_detectors()
    shipped_signatures()
    shipped_checklists()
    catalogue(())


def _findings(case: Case, options: Options) -> Iterator[Finding]:
    for detector in all_detectors():
        if all(case.snapshot.has(kind) for kind in detector.needs):
            yield from detector.run(case)
    own = [each for table in options.own_tables for each in table.signature]
    yield from match_signatures(symptoms(case), [*own, *shipped_signatures()])


def wanted(options: Options) -> Callable[[ClusterSnapshot, WorkloadView], bool]:
    """Whose logs are worth reading: of the workloads asked for, and of what offers GPUs."""
    asked = _asked_for(options.subject)
    return lambda snapshot, view: asked(snapshot, view) or bool(gpu.role(view))


def _asked_for(subject: Subject | None) -> Callable[[ClusterSnapshot, WorkloadView], bool]:
    if subject is not None:
        return lambda _, view: _is_about(view, subject)
    return lambda snapshot, view: wants_wasm(snapshot, view) or wants_gpu(snapshot, view)


def _workloads(
    snapshot: ClusterSnapshot, views: tuple[WorkloadView, ...], options: Options
) -> tuple[WorkloadView, ...]:
    asked = _asked_for(options.subject)
    chosen = tuple(view for view in views if asked(snapshot, view))
    if options.subject and not chosen:
        raise InputError(
            f"there is no {options.subject.kind.lower()} {options.subject.name!r} "
            f"in namespace {options.subject.namespace}",
            "kubectl wasmai list shows what deploy made; -n chooses another namespace",
        )
    return chosen


def _is_about(view: WorkloadView, subject: Subject) -> bool:
    pods = [Subject("Pod", pod.namespace, pod.name) for pod in view.pods]
    return subject in (view.subject, *view.controllers, *pods)


def _entries(
    runs: tuple[CheckRun, ...], options: Options, *, timings: bool
) -> Iterator[CheckEntry]:
    by_id = {run.check.id: run for run in runs}
    _refuse_unknown([*options.only, *options.skip], list(by_id), "check")
    told: set[str] = set()
    for checklist in chosen_checklists(options):
        for item in checklist.items:
            if item.check and (item.check in told or item.check in options.skip):
                continue
            if options.only and item.check not in options.only:
                continue
            if item.check:
                told.add(item.check)
            yield from _of_item(checklist, item, by_id, timings=timings)


def chosen_checklists(options: Options) -> tuple[Checklist, ...]:
    """The shipped ones that were named, then users' own; all shipped ones if none was chosen.

    Raises ``InputError`` for a name that is not shipped.
    """
    shipped = shipped_checklists()
    _refuse_unknown(options.checklists, [each.name for each in shipped], "checklist")
    if not options.checklists and not options.own_checklists:
        return shipped
    named = (each for each in shipped if each.name in options.checklists)
    return (*named, *options.own_checklists)


def _refuse_unknown(given: list[str] | tuple[str, ...], known: list[str], what: str) -> None:
    unknown = [each for each in given if each not in known]
    if unknown:
        raise InputError(f"there is no {what} {unknown[0]!r}", f"known: {', '.join(sorted(known))}")


def _of_item(
    checklist: Checklist, item: Item, by_id: dict[str, CheckRun], *, timings: bool
) -> Iterator[CheckEntry]:
    run = by_id.get(item.check)
    if run is None:
        yield _entry(checklist, item, Result(Status.MANUAL, item.note), None, None)
        return
    duration = round(run.duration_ms, 3) if timings else None
    for result in run.results:
        yield _entry(checklist, item, result, run, duration)


def _entry(
    checklist: Checklist, item: Item, result: Result, run: CheckRun | None, duration: float | None
) -> CheckEntry:
    return CheckEntry(
        id=item.id,
        title=run.check.title if run else item.text,
        checklist=checklist.name,
        status=result.status,
        severity=run.check.severity if run else Severity.WARNING,
        reason=result.reason,
        subject=ObjectRef.of(result.subject),
        evidence=result.evidence,
        needs=result.needs,
        duration_ms=duration,
        runbook=run.check.id if run else checklist.name,
    )
