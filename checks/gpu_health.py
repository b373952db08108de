"""The checklists' questions about GPUs. Where nobody wants one, nothing is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.gpu_components import all_ready, of_role
from kubectl_wasmai.checks.gpu_demand import shortages
from kubectl_wasmai.checks.gpu_injection import (
    NEEDING_NVIDIA_RUNTIME,
    conflicts,
    not_injected,
    runs_wasm,
    strategy,
)
from kubectl_wasmai.checks.gpu_node import faults, withdrawn
from kubectl_wasmai.checks.gpu_operator import component_findings

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.interest import wants_gpu
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status, Subject
from kubectl_wasmai.snapshot import LogKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Node

NOT_WANTED = "nobody here asks for a GPU"
_IN_USE = re.compile(
    r"found \d+ (?:CUDA|ROCm|SYCL) devices|offloaded [1-9]\d*/\d+ layers to GPU"
    r"|using device CUDA\d|CUDA\d+ (?:model|compute) buffer size"
)


def wanting(case: Case) -> list[WorkloadView]:
    return [view for view in case.workloads if wants_gpu(view)]


def nodes_labelled(case: Case) -> Iterable[Result]:
    if not wanting(case):
        yield Result(Status.SKIP, NOT_WANTED)
        return
    offering = [node for node in case.snapshot.nodes if gpu.offers(node)]
    labelled = [node for node in case.snapshot.nodes if gpu.shows_gpu(node)]
    evidence = tuple(_labels(node) for node in labelled[:3])
    bare = [node.name for node in offering if node not in labelled]
    if labelled and not bare:
        yield Result(Status.PASS, f"{len(labelled)} nodes carry GPU labels", None, evidence)
    elif bare:
        # Stock GKE, EKS and AKS have no labels of GPU feature discovery, and need none.
        reason = f"{bare[0]} offers a GPU and has no label that tells which"
        yield Result(Status.WARN, reason, Subject("Node", "", bare[0]), evidence)
    else:
        yield Result(Status.WARN, "no node carries a GPU label, and a GPU is wanted")


def _labels(node: Node) -> Evidence:
    found = gpu.labels(node)
    shown = [key for key in (*gpu.PRODUCT_LABELS, *gpu.COUNT_LABELS) if key in found]
    return Evidence("node", f"Node {node.name}", ", ".join(f"{k}={found[k]}" for k in shown))


def plugin_offers(case: Case) -> Iterable[Result]:
    found = component_findings(case, shortages(case))
    for each in found:
        reason = f"{each.cause}: {each.evidence[0].text}" if each.evidence else each.cause
        yield Result(Status.FAIL, reason, each.subject, each.evidence)
    offers = {
        node.name: {name: free for name, (_, free) in gpu.offers(node).items() if free}
        for node in case.snapshot.nodes
    }
    have = {name: amounts for name, amounts in offers.items() if amounts}
    if have:
        evidence = tuple(
            Evidence("node", f"Node {name}", ", ".join(f"{k}: {v}" for k, v in amounts.items()))
            for name, amounts in list(have.items())[:3]
        )
        yield Result(Status.PASS, f"{len(have)} nodes offer GPUs", None, evidence)
    elif found:
        return
    elif not wanting(case):
        yield Result(Status.SKIP, NOT_WANTED)
    elif any(not all_ready(view) for view in of_role(case, gpu.PLUGIN)):
        yield Result(Status.WARN, "the device plugin is starting; no node offers a GPU yet")
    elif any(gpu.requests(view.spec) for view in wanting(case)):
        yield Result(Status.FAIL, "no node offers a GPU, and a GPU is asked for")
    else:
        yield Result(Status.WARN, "no node offers a GPU, and a GPU is wanted")


def requests_fit(case: Case) -> Iterable[Result]:
    short = {each.workload: each for each in shortages(case)}
    asking = [view for view in case.workloads if gpu.requests(view.spec)]
    if not asking:
        yield Result(Status.SKIP, "no workload here asks for a GPU")
    for view in asking:
        words = ", ".join(f"{count} {name}" for name, count in gpu.requests(view.spec).items())
        lacking = short.get(view.subject)
        if lacking:
            reason = f"no node has {lacking.wanted} {lacking.resource} for it"
            evidence = (lacking.waiting.evidence,)
            yield Result(Status.FAIL, reason, view.subject, evidence)
        elif any(gpu.granted(pod) for pod in view.pods):
            yield Result(Status.PASS, f"{words} granted", view.subject)
        else:
            yield Result(
                Status.UNKNOWN, f"asks for {words}; no pod has been placed", view.subject,
                needs="a pod that the scheduler has judged",
            )  # fmt: skip


def gpus_healthy(case: Case) -> Iterable[Result]:
    nodes = [node for node in case.snapshot.nodes if gpu.offers(node) or gpu.shows_gpu(node)]
    if not nodes:
        yield Result(Status.SKIP, "no node has a GPU")
    for node in nodes:
        subject = Subject("Node", "", node.name)
        accused = list(faults(case, node))
        fewer = withdrawn(node)
        if accused:
            evidence = tuple(each.evidence for each in accused[:3])
            yield Result(Status.FAIL, accused[0].text, subject, evidence)
        elif fewer:
            name, (capacity, allocatable) = next(iter(fewer.items()))
            reason = f"{name}: {allocatable} of {capacity} can be used"
            yield Result(Status.FAIL, reason, subject)
        elif gpu.offers(node):
            yield Result(Status.PASS, "offers all GPUs it has; no monitor accuses one", subject)
        else:
            yield Result(
                Status.UNKNOWN, "has a GPU by its labels, and offers none", subject,
                needs="a device plugin on the node",
            )  # fmt: skip


def reaches_container(case: Case) -> Iterable[Result]:
    asking = [view for view in case.workloads if gpu.requests(view.spec)]
    if not asking:
        yield Result(Status.SKIP, "no workload here asks for a GPU")
    wrong = {each.subject: each for each in (*not_injected(case), *conflicts(case))}
    for view in asking:
        if view.subject in wrong:
            evidence = wrong[view.subject].evidence
            yield Result(Status.FAIL, evidence[-1].text, view.subject, evidence)
        else:
            yield _by_strategy(case, view)


def _by_strategy(case: Case, view: WorkloadView) -> Result:
    found = strategy(case)
    nvidia = any(gpu.vendor(name) == "nvidia" for name in gpu.requests(view.spec))
    if not nvidia:
        return Result(Status.PASS, "devices are handed out for any handler", view.subject)
    if found is None:
        return Result(
            Status.UNKNOWN,
            "the device plugin's list strategy is not to be seen",
            view.subject,
            needs="the plugin's DEVICE_LIST_STRATEGY: a Wasm handler needs cdi-cri",
        )
    if found[1] not in NEEDING_NVIDIA_RUNTIME:
        return Result(Status.PASS, f"the device plugin uses {found[1]}", view.subject)
    if runs_wasm(case, view):
        reason = f"strategy {found[1]} gives a Wasm handler no device"
        return Result(Status.WARN, reason, view.subject)
    if gpu.is_gpu_class(view.spec.runtime_class_name or ""):
        return Result(Status.PASS, "runs under NVIDIA's runtime", view.subject)
    return Result(
        Status.UNKNOWN,
        f"strategy {found[1]}: works only if nvidia is the nodes' default runtime",
        view.subject,
        needs="the node's container runtime configuration, or runtimeClassName: nvidia",
    )


def in_use(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        yield _used(case, view)


def _used(case: Case, view: WorkloadView) -> Result:
    """A granted GPU is not a used one: llama.cpp falls back to the CPU without a word."""
    for pod in view.pods:
        for container in pod.spec.containers or ():
            log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name), "")
            lines = [line for line in log.splitlines() if _IN_USE.search(line)]
            if lines:
                about = f"{Subject('Pod', pod.namespace, pod.name)} [{container.name}]"
                evidence = (Evidence("log", about, lines[-1].strip()),)
                return Result(Status.PASS, "the log tells of the GPU", view.subject, evidence)
    return Result(
        Status.UNKNOWN,
        "nothing seen tells whether the GPU is used",
        view.subject,
        needs="a log line such as `offloaded 33/33 layers to GPU`, or nvidia-smi on the node "
        "under load",
    )


CHECKS = (
    Check(
        id="gpu-nodes-labelled",
        title="GPU nodes carry their labels",
        severity=Severity.WARNING,
        needs=("Node",),
        run=nodes_labelled,
    ),
    Check(
        id="gpu-device-plugin-ready",
        title="The GPU device plugin offers the GPU",
        severity=Severity.ERROR,
        needs=("Node", "Pod"),
        run=plugin_offers,
    ),
    Check(
        id="gpu-request-satisfiable",
        title="GPU requests fit a node",
        severity=Severity.ERROR,
        needs=("Node", "Pod"),
        run=requests_fit,
    ),
    Check(
        id="gpu-healthy",
        title="The nodes' GPUs are healthy",
        severity=Severity.ERROR,
        needs=("Node",),
        run=gpus_healthy,
    ),
    Check(
        id="gpu-reaches-container",
        title="A granted GPU reaches the container",
        severity=Severity.ERROR,
        needs=("Pod", "DaemonSet"),
        run=reaches_container,
    ),
    Check(
        id="gpu-in-use",
        title="The GPU is in use",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=in_use,
    ),
)
