"""Claims: is there a class to serve them, and does anything provide the volume?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import PersistentVolumeClaim

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def unbound_claims(case: Case) -> Iterable[Finding]:
    """Only claims that a workload of interest uses."""
    users: dict[tuple[str, str], list[WorkloadView]] = {}
    for view in case.workloads:
        for volume in view.spec.volumes or ():
            if volume.persistent_volume_claim:
                key = (view.subject.namespace, volume.persistent_volume_claim.claim_name)
                users.setdefault(key, []).append(view)
    for claim in case.snapshot.claims:
        views = users.get((claim.namespace, claim.name))
        if views and claim.status.phase == "Pending":
            yield _finding(case, claim, views)


def _finding(case: Case, claim: PersistentVolumeClaim, views: list[WorkloadView]) -> Finding:
    classes = {each.name: each for each in case.snapshot.storage_classes}
    name = claim.spec.storage_class_name
    default = any(c.annotations.get(DEFAULT_CLASS) == "true" for c in classes.values())
    if name and name not in classes:
        cause = "storageclass-missing"
    elif name is None and not default:
        cause = "storageclass-no-default"
    else:
        cause = "volume-not-bound"
    subject = Subject("PersistentVolumeClaim", claim.namespace, claim.name)
    text = f"Pending; storageClassName: {'not set' if name is None else name or '(empty)'}"
    return Finding(
        cause,
        subject,
        Certainty.CERTAIN,
        (Evidence("status", str(subject), text),),
        {"storageclass": name or "(default)", "existing": ", ".join(classes) or "there is none"},
        tuple(view.subject for view in views),
    )


DETECTORS = (
    Detector(
        ("storageclass-missing", "storageclass-no-default", "volume-not-bound"),
        ("PersistentVolumeClaim", "StorageClass"),
        unbound_claims,
    ),
)
