"""Claims on devices that nothing satisfies: which of the reasons of ``cannot allocate all claims``.

Found in the objects before any text: the claim, its template or its class does not exist; no
driver publishes such a device; all of them are tainted, or taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.devices import (
    claims_of,
    drivers,
    holders,
    needs,
    of_class,
    published,
)
from kubectl_wasmai.doctor.health import condition, is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Detector,
    Evidence,
    Finding,
    Result,
    Status,
    Subject,
)
from kubectl_wasmai.doctor.once import once_per_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.devices import Need, PublishedDevice
    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import ExactRequest, Pod

_SURE = "no-claim", "no-class", "no-device"


class Why(NamedTuple):
    """Why one alternative of a request cannot be had. ``nodes`` are of tainted devices."""

    kind: str
    text: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnmetClaim:
    """A pod without a node, one claim of it, and what keeps that from being allocated."""

    view: WorkloadView
    pod: Pod
    need: Need
    why: Why

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        said = condition(self.pod, "PodScheduled")
        about = str(Subject("Pod", self.pod.namespace, self.pod.name))
        seen = (Evidence("spec", str(self.view.subject), self.why.text),)
        if said is None or said.status == "True" or not said.message:
            return seen
        return (*seen, Evidence("status", about, said.message, said.last_transition_time))


@once_per_case
def unmet_claims(case: Case) -> tuple[UnmetClaim, ...]:
    return tuple(
        UnmetClaim(view, pod, need, why)
        for view in case.workloads
        for pod in view.pods
        if not pod.spec.node_name and not is_well(pod)
        for need in _open_needs(case, pod)
        if (why := _why(case, need)) is not None
    )


def _open_needs(case: Case, pod: Pod) -> Iterator[Need]:
    """Without those whose claim has been allocated already."""
    satisfied = {claim.name for claim in claims_of(case.snapshot, pod) if claim.status.allocation}
    made = {s.name: s.resource_claim_name for s in pod.status.resource_claim_statuses or ()}
    for need in needs(case.snapshot, pod.spec, pod.namespace):
        name = made.get(need.name) or need.origin.rpartition("/")[2]
        if name not in satisfied and need.is_seen:
            yield need


def _why(case: Case, need: Need) -> Why | None:
    if need.spec is None:
        return Why("no-claim", f"claim {need.name} is to be {need.origin}, which does not exist")
    for request in need.spec.devices.requests or ():
        reasons = [_of_alternative(case, each) for each in request.alternatives]
        if reasons and all(reasons):
            return reasons[0]
    return None


def _of_alternative(case: Case, request: ExactRequest) -> Why | None:
    snapshot, name = case.snapshot, request.device_class_name or ""
    if not snapshot.has("DeviceClass"):
        return None
    class_ = snapshot.device_classes.get(name)
    if class_ is None:
        return Why("no-class", f"DeviceClass {name} does not exist")
    if not snapshot.has("ResourceSlice"):
        return None
    devices = of_class(case, request)
    if not devices:
        return Why("no-device", _nobody(case, name, drivers(class_)))
    return _none_free(case, name, devices, request.count or 1)


def _nobody(case: Case, name: str, named: tuple[str, ...]) -> str:
    known = {device.driver for device in published(case)}
    if named and not known & {*named}:
        return f"no node publishes a device of driver {', '.join(named)}, which class {name} wants"
    return f"no published device fits class {name} and the claim's selectors"


def _none_free(
    case: Case, name: str, devices: tuple[PublishedDevice, ...], count: int
) -> Why | None:
    taken = holders(case)
    usable = [device for device in devices if not device.blocking_taints]
    free: dict[str, int] = {}
    for device in usable:
        if device.key not in taken:
            free[device.node] = free.get(device.node, 0) + 1
    if max(free.values(), default=0) >= count or request_is_shared(devices):
        return None
    if not usable:
        taints = sorted({f"{t.key}={t.value or ''}" for d in devices for t in d.blocking_taints})
        nodes = tuple(sorted({device.node for device in devices}))
        return Why(
            "tainted", f"all devices of class {name} are tainted: {', '.join(taints)}", nodes
        )
    by = sorted({taken[device.key] for device in usable if device.key in taken})
    if not by:
        return Why("too-few", f"no node has {count} devices of class {name}")
    return Why("taken", f"devices of class {name} are taken by claims {', '.join(by[:5])}")


def request_is_shared(devices: tuple[PublishedDevice, ...]) -> bool:
    """MIG partitions and shares use up counters that are not counted here: they may fit or not."""
    return any(device.text("type") == "mig" for device in devices)


def unsatisfied(case: Case) -> Iterable[Finding]:
    for each in unmet_claims(case):
        sure = each.why.kind in _SURE or not case.snapshot.info.namespace
        yield Finding(
            "dra-claim-unsatisfied",
            each.view.subject,
            Certainty.CERTAIN if sure else Certainty.LIKELY,
            each.evidence,
            {"error": each.why.text},
        )


def results(case: Case, view: WorkloadView) -> Iterator[Result]:
    """Of a workload that claims devices: one answer for all its claims."""
    lacking = [each for each in unmet_claims(case) if each.view is view]
    if lacking:
        first = lacking[0]
        yield Result(Status.FAIL, first.why.text, view.subject, first.evidence)
        return
    claims = [claim for pod in view.pods for claim in claims_of(case.snapshot, pod)]
    have = [
        f"{each.driver} {each.pool}/{each.device}"
        for claim in claims
        if claim.status.allocation
        for each in claim.status.allocation.devices.results or ()
    ]
    if have:
        evidence = (Evidence("status", str(view.subject), ", ".join(have[:5])),)
        yield Result(Status.PASS, f"{len(have)} devices allocated", view.subject, evidence)
    else:
        yield Result(
            Status.UNKNOWN,
            "its claims have not been allocated, and nothing seen says why",
            view.subject,
            needs="kubectl get resourceclaims,resourceslices,deviceclasses -o json",
        )


DETECTORS = (Detector(("dra-claim-unsatisfied",), ("Pod",), unsatisfied),)
