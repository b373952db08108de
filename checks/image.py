"""Images: are they where the node looks for them, and the same everywhere?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.health import container_statuses, is_ready, is_well
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


def unpulled(case: Case) -> Iterable[Finding]:
    """From the status alone: events of a pull are forgotten sooner than a pod gives up."""
    for view in case.workloads:
        for pod in view.pods:
            silent = not is_well(pod) and not _tells_of_pull(case, pod)
            for status in container_statuses(pod) if silent else ():
                waiting = status.state.waiting
                reason = (waiting and waiting.reason) or ""
                if waiting and reason.startswith(REFUSED) and reason != "ErrImageNeverPull":
                    text = f"{reason}: {waiting.message or status.image}"
                    evidence = Evidence("status", _container(pod, status), text)
                    names = {"image": status.image, "container": status.name}
                    certain = Certainty.CERTAIN
                    yield Finding("image-pull-failed", view.subject, certain, (evidence,), names)


def _tells_of_pull(case: Case, pod: Pod) -> bool:
    """Is there an event, in which the signatures of texts find more than the status says?"""
    events = case.snapshot.events_of("Pod", pod.namespace, pod.name)
    return any((event.message or "").startswith("Failed to pull image") for event in events)


def _pull_patch(container: str) -> str:
    containers = [{"name": container, "imagePullPolicy": "IfNotPresent"}]
    return json.dumps({"spec": {"template": {"spec": {"containers": containers}}}})


NO_IMAGE = re.compile(r"(?:docker\.io/)?wasmedge/llama2?(?:[:@].*)?")
"""Named in articles; on Hugging Face it is a repository of models, on Docker Hub it is none."""
REFUSED = ("ErrImage", "ImagePullBackOff", "InvalidImageName", "ImageInspectError", "RegistryUn")
"""Beginnings of waiting reasons of a container whose image is not there."""
DIGEST = "@sha256:"


def images_available(_case: Case, view: WorkloadView) -> Result:
    waiting = [
        (pod, status, status.state.waiting)
        for pod in view.pods
        for status in container_statuses(pod)
        if status.state.waiting and (status.state.waiting.reason or "").startswith(REFUSED)
    ]
    if waiting:
        pod, status, state = waiting[0]
        text = f"{state.reason}: {state.message or status.image}"
        evidence = Evidence("status", _container(pod, status), text)
        reason = f"{state.reason}: {status.image}"
        return Result(Status.FAIL, reason, view.subject, (evidence,))
    statuses = [(p, s) for p in view.pods for s in container_statuses(p)]
    fetched = [(pod, status) for pod, status in statuses if status.image_id]
    if fetched and len(fetched) == len(statuses):
        evidence = Evidence("status", _container(*fetched[0]), fetched[0][1].image_id)
        reason = f"containers with their image: {len(fetched)} of {len(fetched)}"
        return Result(Status.PASS, reason, view.subject, (evidence,))
    unreal = [c.image for c in view.containers if NO_IMAGE.fullmatch(c.image)]
    if unreal:
        reason = f"{unreal[0]} is no image: there is a repository of models by that name"
        return Result(Status.WARN, reason, view.subject)
    return Result(
        Status.UNKNOWN,
        f"containers with their image: {len(fetched)} of {len(statuses) or len(view.containers)}",
        view.subject,
        needs="a pod on a node: until then nobody has asked the registry",
    )


def images_pinned(_case: Case, view: WorkloadView) -> Result:
    drifted = _drifted(view)
    if drifted:
        reason = f"{drifted[0].object} runs other bytes than its like under the same tag"
        return Result(Status.WARN, reason, view.subject, drifted)
    images = [each.image for each in view.containers]
    floating = [image for image in images if DIGEST not in image and _tag(image) == "latest"]
    if floating:
        reason = f"{floating[0]} may be another image tomorrow: it has no tag, or latest"
        return Result(Status.WARN, reason, view.subject)
    by_tag = [image for image in images if DIGEST not in image]
    how = f"by tag ({by_tag[0]}); a digest cannot be moved" if by_tag else "by digest"
    return Result(Status.PASS, how, view.subject)


def _drifted(view: WorkloadView) -> tuple[Evidence, ...]:
    """Pods that run different images under one name: the tag was moved between their starts."""
    seen: dict[tuple[str, str], tuple[str, Evidence]] = {}
    for pod in view.pods:
        for status in pod.status.container_statuses or ():
            if not status.image_id or not is_ready(pod):
                continue
            text = f"{status.image}: {status.image_id}"
            evidence = Evidence("status", _container(pod, status), text)
            first = seen.setdefault((status.name, status.image), (status.image_id, evidence))
            if first[0] != status.image_id:
                return (evidence, first[1])
    return ()


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition(":")[2] or "latest"


def _container(pod: Pod, status: ContainerStatus) -> str:
    return f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"


CHECKS = (
    Check(
        id="images-available",
        title="The images can be had",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=per_workload(images_available),
        depends_on=("runtimeclass-exists",),
    ),
    Check(
        id="images-pinned",
        title="Images name one fixed version",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=per_workload(images_pinned),
    ),
)
DETECTORS = (
    Detector(("image-not-present",), ("Pod",), image_not_present),
    Detector(("image-pull-failed",), ("Pod",), unpulled),
)
