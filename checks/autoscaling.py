"""Autoscalers: do they get the metrics they scale by?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.snapshot.objects import HorizontalPodAutoscaler

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_METRICS = ("FailedGetResourceMetric", "FailedGetContainerResourceMetric")


def without_metrics(case: Case) -> Iterable[Finding]:
    """The autoscaler's own condition, where the API group itself is not served."""
    scaled = {(v.subject.namespace, v.subject.kind, v.subject.name) for v in case.workloads}
    for each in case.snapshot.of("HorizontalPodAutoscaler", HorizontalPodAutoscaler):
        target = each.spec.scale_target_ref
        if (each.namespace, target.kind, target.name) not in scaled:
            continue
        for condition in each.status.conditions or ():
            message = condition.message or ""
            if condition.reason in NO_METRICS and (
                "could not find the requested resource" in message or "metrics.k8s.io" in message
            ):
                subject = Subject("HorizontalPodAutoscaler", each.namespace, each.name)
                yield Finding(
                    "metrics-api-missing",
                    subject,
                    Certainty.CERTAIN,
                    (Evidence("status", str(subject), message),),
                )
                break


DETECTORS = (Detector(("metrics-api-missing",), ("HorizontalPodAutoscaler",), without_metrics),)
