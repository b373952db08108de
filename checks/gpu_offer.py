"""Do the nodes offer their GPUs, whoever sees to it?

A device plugin need not be in sight: EKS Auto Mode and Bottlerocket have it built in, AKS runs it
as a service of the node, and a DRA driver needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import all_ready, of_role
from kubectl_wasmai.checks.gpu_operator import component_findings
from kubectl_wasmai.checks.gpu_use import NOT_WANTED, wanting

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import gpus_of
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Evidence,
    Result,
    Severity,
    Status,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot.objects import Node

DEPLOY = "nvidia.com/gpu.deploy."
PAUSED = "paused-for-driver-upgrade"
UPGRADE_STATE = "nvidia.com/gpu-driver-upgrade-state"
_SETTLED = ("", "upgrade-done", "upgrade-failed")
_NO_PLUGIN = "; no device plugin's DaemonSet is in sight: it is built into the nodes, or elsewhere"


def plugin_offers(case: Case) -> Iterable[Result]:
    found = component_findings(case)
    for each in found:
        reason = f"{each.cause}: {each.evidence[0].text}" if each.evidence else each.cause
        status = Status.WARN if each.certainty is Certainty.POSSIBLE else Status.FAIL
        yield Result(status, reason, each.subject, each.evidence)
    have = {node.name: text for node in case.snapshot.nodes if (text := _offered(case, node))}
    if wanting(case):
        yield from _held_back(case)
    if have:
        evidence = tuple(
            Evidence("node", f"Node {name}", text) for name, text in list(have.items())[:3]
        )
        seen = any(of_role(case, gpu.PLUGIN, gpu.DRA))
        reason = f"{len(have)} nodes offer GPUs" + ("" if seen else _NO_PLUGIN)
        yield Result(Status.PASS, reason, None, evidence)
    elif not found:
        yield _nobody(case)


def _nobody(case: Case) -> Result:
    wanted = wanting(case)
    if not wanted:
        return Result(Status.SKIP, NOT_WANTED)
    if any(not all_ready(view) for view in of_role(case, gpu.PLUGIN)):
        return Result(Status.WARN, "the device plugin is starting; no node offers a GPU yet")
    if any(gpu.requests(view.spec) or view.spec.resource_claims for view in wanted):
        return Result(Status.FAIL, "no node offers a GPU, and a GPU is asked for")
    return Result(Status.WARN, "no node offers a GPU, and a GPU is wanted")


def _offered(case: Case, node: Node) -> str:
    counts = [f"{name}: {free}" for name, (_, free) in gpu.offers(node).items() if free]
    by_driver: dict[str, int] = {}
    for device in gpus_of(case, node.name):
        by_driver[device.driver] = by_driver.get(device.driver, 0) + 1
    counts += [f"{number} devices of {driver}" for driver, number in by_driver.items()]
    return ", ".join(counts)


def _held_back(case: Case) -> Iterator[Result]:
    """Nodes that the operator leaves alone, or is at work on."""
    for node in case.snapshot.nodes:
        if not (gpu.shows_gpu(node) or gpu.offers(node)):
            continue
        subject = Subject("Node", "", node.name)
        labels = {key: value for key, value in node.labels.items() if key.startswith(DEPLOY)}
        paused = sorted(key for key, value in labels.items() if value == PAUSED)
        state = node.labels.get(UPGRADE_STATE, "")
        if paused or state not in _SETTLED:
            label = f"{paused[0]}={PAUSED}" if paused else f"{UPGRADE_STATE}={state}"
            reason = f"its driver is being upgraded (label {label}); it offers GPUs again after it"
            yield Result(Status.WARN, reason, subject)
        elif labels.get(DEPLOY + "operands") == "false" and not _offered(case, node):
            reason = f"the operator leaves it alone (label {DEPLOY}operands=false)"
            yield Result(Status.WARN, reason, subject)


CHECKS = (
    Check(
        id="gpu-device-plugin-ready",
        title="The GPU device plugin offers the GPU",
        severity=Severity.ERROR,
        needs=("Node", "Pod"),
        run=plugin_offers,
    ),
)
