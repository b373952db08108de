"""Images: are they where the node looks for them?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Pod


def image_not_present(case: Case) -> Iterable[Finding]:
    """The kubelet's own reason, which has no other meaning."""
    for view in case.workloads:
        for pod in view.pods:
            for status in () if is_well(pod) else container_statuses(pod):
                waiting = status.state.waiting
                if waiting and waiting.reason == "ErrImageNeverPull":
                    yield _absent(view, pod, status)


def _absent(view: WorkloadView, pod: Pod, status: ContainerStatus) -> Finding:
    waiting = status.state.waiting
    text = (waiting and waiting.message) or f"ErrImageNeverPull: {status.image}"
    return Finding(
        "image-not-present",
        view.subject,
        Certainty.CERTAIN,
        (Evidence("status", str(Subject("Pod", pod.namespace, pod.name)), text),),
        {
            "image": status.image,
            "node": pod.spec.node_name or "<node>",
            "patch": _pull_patch(status.name),
        },
    )


def _pull_patch(container: str) -> str:
    containers = [{"name": container, "imagePullPolicy": "IfNotPresent"}]
    return json.dumps({"spec": {"template": {"spec": {"containers": containers}}}})


DETECTORS = (Detector(("image-not-present",), ("Pod",), image_not_present),)
