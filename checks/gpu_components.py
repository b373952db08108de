"""What offers GPUs to others, and does not run: its own words first, then how it ended.

Device plugins, drivers, validators, exporters. The layers wait for each other, so the lowest that
is broken is named, and the ones above it are its consequences.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.health import container_statuses, is_leaving, is_ready, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Evidence, Finding, Subject
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.doctor.signatures import match_signatures, shipped_signatures
from kubectl_wasmai.doctor.symptoms import Symptom, logs_of, symptoms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import ContainerStatus, Node, Pod

STARTING = timedelta(seconds=60)
"""How long a component may be on its way before its silence means something."""
RECENT = timedelta(minutes=15)
"""A crash that long ago has been overcome; back-off between two crashes is at most 5 minutes."""
REGISTERED = "Registered device plugin for"

# What a component can have that has nothing to do with GPUs, besides the causes named gpu-….
_ORDINARY = {
    *("image-not-present", "image-pull-failed", "image-platform-mismatch"),
    *("runtimeclass-missing", "handler-not-configured", "handler-missing-on-some-nodes"),
    *("shim-binary-missing", "volume-mount-failed", "config-reference-missing"),
    *("serviceaccount-missing", "pod-security-violation", "quota-exceeded", "model-volume-missing"),
}
_OF_GPU = ("gpu-", "device-plugin-", "dcgm-", "mig-")
_DRIVER = {"gpu-driver-not-loaded", "gpu-driver-mismatch"}
_CONSEQUENCES = {
    "gpu-operator-not-ready": _DRIVER,
    "device-plugin-crashing": _DRIVER,
    "device-plugin-no-driver-library": _DRIVER,
    "device-plugin-no-devices": _DRIVER,
    "device-plugin-not-scheduled": _DRIVER,
    "dcgm-exporter-down": {
        *_DRIVER,
        "gpu-operator-not-ready",
        "device-plugin-no-driver-library",
        "device-plugin-no-devices",
    },
}
"""A cause, and those that explain it wherever in the installation they sit."""


def of_role(case: Case, *roles: str) -> Iterator[WorkloadView]:
    for view in case.components:
        if gpu.role(view) in roles:
            yield view


def said(case: Case, view: WorkloadView, quiet: Iterable[Pod] = ()) -> list[Finding]:
    """What the known texts say of a component; of ``quiet`` pods, which seem well, their logs."""
    texts = [*symptoms_of(case.snapshot, view)]
    texts += [each for pod in quiet if is_well(pod) for each in logs_of(case.snapshot, view, pod)]
    found = match_signatures(map(_since_registered, texts), shipped_signatures())
    return [
        each
        for each in found
        if (each.cause in _ORDINARY or each.cause.startswith(_OF_GPU))
        and each.certainty is not Certainty.POSSIBLE
    ]


def _since_registered(symptom: Symptom) -> Symptom:
    """What a plugin said before it registered has been overcome."""
    if symptom.where != "log" or REGISTERED not in symptom.text:
        return symptom
    return replace(symptom, text=symptom.text.rpartition(REGISTERED)[2])


def crash(snapshot: ClusterSnapshot, pod: Pod, *, even_ready: bool = False) -> Evidence | None:
    """How a container of the pod ended lately. Between two crashes a container without probes
    is ready: ``even_ready`` looks at that, too."""
    if is_leaving(pod) or (is_well(pod) and not even_ready):
        return None
    for status in container_statuses(pod):
        text = _ended(snapshot, status)
        if text:
            subject = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
            return Evidence("status", subject, text)
    return None


def _ended(snapshot: ClusterSnapshot, status: ContainerStatus) -> str:
    waits = status.state.waiting
    if waits and waits.reason in ("CrashLoopBackOff", "RunContainerError", "CreateContainerError"):
        return f"{waits.reason}: {waits.message or ''}".rstrip(": ")
    for end in (status.state.terminated, status.last_state.terminated):
        if end is None or not end.exit_code:
            continue
        old = end.finished_at and snapshot.info.taken_at - end.finished_at > RECENT
        if not old:
            return f"{end.reason or 'Error'}, exit code {end.exit_code}"
    return ""


def stuck(pod: Pod) -> str:
    """The init container that the pod waits for; empty where it does not wait, or crashes."""
    for status in pod.status.init_container_statuses or ():
        end = status.state.terminated
        if end and not end.exit_code:
            continue
        running = status.state.running is not None and not status.restart_count
        return status.name if running and not status.ready else ""
    return ""


def is_young(snapshot: ClusterSnapshot, pod: Pod) -> bool:
    created = pod.metadata.creation_timestamp
    return created is not None and snapshot.info.taken_at - created <= STARTING


def offering(case: Case, vendor: str) -> frozenset[str]:
    """Names of the nodes that offer a GPU of the vendor now."""
    return _offering(case).get(vendor, frozenset())


@once_per_case
def _offering(case: Case) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for node in case.snapshot.nodes:
        for name, (_, allocatable) in gpu.offers(node).items():
            if allocatable:
                found.setdefault(gpu.vendor(name), set()).add(node.name)
    return {vendor: frozenset(names) for vendor, names in found.items()}


def offers_now(node: Node, vendor: str) -> bool:
    return any(
        allocatable
        for name, (_, allocatable) in gpu.offers(node).items()
        if gpu.vendor(name) == vendor
    )


def all_ready(view: WorkloadView) -> bool:
    return bool(view.pods) and all(is_ready(pod) for pod in view.pods if not is_leaving(pod))


def roots(findings: list[Finding]) -> list[Finding]:
    """Without those that another component's trouble explains; that one names them."""
    present = {each.cause for each in findings}
    return [each for each in findings if not present & _CONSEQUENCES.get(each.cause, set())]
