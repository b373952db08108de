"""Volumes: does every claim that a workload mounts get one?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Detector,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.snapshot.objects import PersistentVolume

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Event, PersistentVolumeClaim, Pod, StorageClass

DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
NO_PROVISIONER = "kubernetes.io/no-provisioner"
NO_CLASS = re.compile(r"no storage class is set")
MISSING_CLASS = re.compile(r'storageclass\.storage\.k8s\.io "(?P<class>[^"]+)" not found')
MOUNT_REASONS = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
MOUNT = re.compile(
    r"(?:MountVolume|AttachVolume|MapVolume)\.\w+ (?:failed|is skipped) for volume "
    r'"(?P<volume>[^"]+)"'
)
OTHERS = re.compile(
    # Told by causes of their own, or over after a moment.
    r"hostPath type check failed|(?:configmap|secret) \"[^\"]+\" not found|non-existent"
    r"|object \S+ not registered|failed to fetch token|timed out waiting for the condition"
)
ABSENT_CLAIM = re.compile(r'persistentvolumeclaim "(?P<claim>[^"]+)" not found')


def is_default(each: StorageClass) -> bool:
    return any(each.annotations.get(key) == "true" for key in DEFAULT)


def claims_of(view: WorkloadView) -> frozenset[str]:
    """Names of the claims that the template and the pods mount."""
    specs = [view.spec, *(pod.spec for pod in view.pods)]
    return frozenset(
        volume.persistent_volume_claim.claim_name
        for spec in specs
        for volume in spec.volumes or ()
        if volume.persistent_volume_claim
    )


def unbound(case: Case) -> Iterable[Finding]:
    for claim in case.snapshot.claims:
        if claim.status.phase not in ("Pending", "Lost"):
            continue
        users = tuple(view.subject for view in _users(case, claim))
        if not users:
            continue
        cause, certainty, names = _why_unbound(case, claim)
        if cause:
            yield Finding(
                cause,
                Subject("PersistentVolumeClaim", claim.namespace, claim.name),
                certainty,
                _evidence(case, claim),
                {"claim": claim.name, **names},
                users,
            )


def _users(case: Case, claim: PersistentVolumeClaim) -> list[WorkloadView]:
    return _users_of_claims(case).get((claim.namespace, claim.name), [])


@once_per_case
def _users_of_claims(case: Case) -> dict[tuple[str, str], list[WorkloadView]]:
    """By namespace and name of the claim."""
    found: dict[tuple[str, str], list[WorkloadView]] = {}
    for view in case.workloads:
        for name in claims_of(view):
            found.setdefault((view.subject.namespace, name), []).append(view)
    return found


def _why_unbound(case: Case, claim: PersistentVolumeClaim) -> tuple[str, Certainty, dict[str, str]]:
    name = claim.spec.storage_class_name
    texts = [event.message or "" for event in _events(case, claim)]
    known = case.snapshot.has("StorageClass")
    classes = _classes(case)
    if name is None:
        has_default = any(map(is_default, classes.values()))
        if (known and not has_default) or (not known and any(map(NO_CLASS.search, texts))):
            return "storageclass-no-default", Certainty.CERTAIN, {"classes": ", ".join(classes)}
        return "volume-not-bound", Certainty.POSSIBLE, {"class": "the default one"}
    names = {"class": name, "classes": ", ".join(classes) or "there is none"}
    if not name or name in _classes_of_volumes(case):
        # Volumes made by hand: the class need not exist as an object.
        return "volume-not-bound", Certainty.CERTAIN, names
    said = any((m := MISSING_CLASS.search(text)) and m["class"] == name for text in texts)
    if name not in classes and (known or said):
        return "storageclass-missing", Certainty.CERTAIN, names
    provisioner = classes[name].provisioner if name in classes else ""
    names["provisioner"] = provisioner or "unknown"
    return "volume-not-bound", _patience(case, claim, provisioner), names


@once_per_case
def _classes(case: Case) -> dict[str, StorageClass]:
    return {each.name: each for each in case.snapshot.storage_classes}


@once_per_case
def _classes_of_volumes(case: Case) -> frozenset[str]:
    volumes = case.snapshot.of("PersistentVolume", PersistentVolume)
    return frozenset(each.spec.storage_class_name or "" for each in volumes)


@once_per_case
def _bound_classes(case: Case) -> frozenset[str | None]:
    """Those of claims that are bound."""
    bound = (each for each in case.snapshot.claims if each.status.phase == "Bound")
    return frozenset(each.spec.storage_class_name for each in bound)


def _patience(case: Case, claim: PersistentVolumeClaim, provisioner: str) -> Certainty:
    """Nobody provisions local volumes; others may only be slow, if they ever worked here."""
    if not _is_wanted(case, claim):
        return Certainty.POSSIBLE
    if provisioner == NO_PROVISIONER:
        return Certainty.CERTAIN
    worked = claim.spec.storage_class_name in _bound_classes(case)
    created = claim.metadata.creation_timestamp
    age = (case.snapshot.info.taken_at - created).total_seconds() if created else 0.0
    return Certainty.LIKELY if not worked or age > SLOW else Certainty.POSSIBLE


SLOW = 120.0
"""Seconds a provisioner that is known to work may take."""


def _is_wanted(case: Case, claim: PersistentVolumeClaim) -> bool:
    """Whether a pod waits for it: before that, late binding is as it should be."""
    return any(
        not is_well(pod) and not pod.spec.node_name
        for view in _users(case, claim)
        for pod in view.pods
    )


def _events(case: Case, claim: PersistentVolumeClaim) -> tuple[Event, ...]:
    return case.snapshot.events_of("PersistentVolumeClaim", claim.namespace, claim.name)


def _evidence(case: Case, claim: PersistentVolumeClaim) -> tuple[Evidence, ...]:
    subject = str(Subject("PersistentVolumeClaim", claim.namespace, claim.name))
    name = claim.spec.storage_class_name
    status = Evidence(
        "status", subject, f"{claim.status.phase}, storageClassName: {name or 'not set'}"
    )
    said = [
        Evidence("event", subject, event.message or "", event.last_seen)
        for event in _events(case, claim)
    ]
    return (status, *said[-1:])


def unmounted(case: Case) -> Iterator[Finding]:
    """Only while no container has started: a mount that succeeded later is history."""
    for view in case.workloads:
        for pod in view.pods:
            if is_well(pod) or any(s.state.running or s.restart_count or s.state.terminated
                                   for s in container_statuses(pod)):  # fmt: skip
                continue
            finding = _mount_failure(case, view, pod)
            if finding is not None:
                yield finding


def _mount_failure(case: Case, view: WorkloadView, pod: Pod) -> Finding | None:
    subject = Subject("Pod", pod.namespace, pod.name)
    for event in reversed(case.snapshot.events_of(*subject)):
        text = event.message or ""
        absent = ABSENT_CLAIM.search(text) if event.reason == "FailedScheduling" else None
        failed = MOUNT.search(text) if event.reason in MOUNT_REASONS else None
        if absent is None and (failed is None or OTHERS.search(text)):
            continue
        if pod.spec.node_name and absent is not None:
            continue
        volume = absent["claim"] if absent else failed["volume"] if failed else ""
        evidence = Evidence("event", str(subject), text, event.last_seen)
        certainty = Certainty.CERTAIN
        return Finding(
            "volume-mount-failed", view.subject, certainty, (evidence,), {"volume": volume}
        )
    return None


def storage_available(case: Case) -> Iterable[Result]:
    wanting = [(view, claims_of(view)) for view in case.workloads]
    if not any(claims for _, claims in wanting):
        default = [each.name for each in case.snapshot.storage_classes if is_default(each)]
        ready = f"; default StorageClass: {default[0]}" if default else ""
        if case.snapshot.has("StorageClass") and not default:
            ready = "; no default StorageClass"
        yield Result(Status.SKIP, f"no workload here asks for a volume claim{ready}")
    failing = {(f.subject.namespace, f.names["claim"]): f for f in unbound(case)}
    known = {(claim.namespace, claim.name) for claim in case.snapshot.claims}
    for view, claims in wanting:
        for claim in sorted(claims):
            yield _claim_result(view, claim, failing, known)


def _claim_result(
    view: WorkloadView,
    claim: str,
    failing: dict[tuple[str, str], Finding],
    known: set[tuple[str, str]],
) -> Result:
    key = (view.subject.namespace, claim)
    if key not in known:
        return Result(Status.FAIL, f"there is no claim {claim}", view.subject)
    finding = failing.get(key)
    if finding is None:
        return Result(Status.PASS, f"claim {claim} is bound or will be when used", view.subject)
    status = Status.WARN if finding.certainty is Certainty.POSSIBLE else Status.FAIL
    return Result(
        status, f"claim {claim} is not bound: {finding.cause}", view.subject, finding.evidence
    )


CHECKS = (
    Check(
        id="storage-available",
        title="A StorageClass can provide the volumes",
        severity=Severity.ERROR,
        needs=("PersistentVolumeClaim", "Pod"),
        run=storage_available,
    ),
)
DETECTORS = (
    Detector(
        ("storageclass-missing", "storageclass-no-default", "volume-not-bound"),
        ("PersistentVolumeClaim", "Pod"),
        unbound,
    ),
    Detector(("volume-mount-failed",), ("Pod", "Event"), unmounted),
)
