"""Driver and compute capability, as labels and devices tell them, against the image's CUDA.

Sources: CUDA's release notes and compatibility guide (a driver serves its own major version from
the first release on), and the architecture matrix of NVIDIA's driver documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.gpu_metrics import of_node
from kubectl_wasmai.checks.gpu_use import NOT_WANTED, wanting

from kubectl_wasmai import gpu
from kubectl_wasmai.doctor.devices import gpus_of, holds_gpu
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
)
from kubectl_wasmai.doctor.placement import nodes_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Node

Version = tuple[int, ...]
LEAST_DRIVER: dict[int, Version] = {11: (450, 80, 2), 12: (525, 60, 13), 13: (580, 65, 6)}
"""By CUDA's major version."""
OLDEST_CAPABILITY: dict[int, Version] = {13: (7, 5)}
"""CUDA 13 dropped Maxwell, Pascal and Volta."""
FIRST_CUDA: tuple[tuple[Version, Version], ...] = (((10, 0), (12, 8)), ((8, 9), (11, 8)))
"""A capability, and the first CUDA that makes code for it; newest first."""
OLD_BRANCHES = 570
"""R535 and R570 have ended; R580 is supported until 2028."""

_IMAGE_CUDA = re.compile(
    r"cuda[-_:/]?v?(\d{2})(?:[.-]?(\d{1,2}))?(?![\d])|(?<=cuda:)(\d{2})\.(\d+)"
)


class Misfit(NamedTuple):
    cause: str
    node: Node
    text: str


def driver_of_labels(node: Node) -> Version:
    """From the new labels of GPU feature discovery, else the old; empty where there are none."""
    full = node.labels.get("nvidia.com/cuda.driver-version.full", "")
    if full:
        return _numbers(full)
    for stem in ("nvidia.com/cuda.driver-version.", "nvidia.com/cuda.driver."):
        parts = [node.labels.get(stem + part, "") for part in ("major", "minor")]
        last = node.labels.get(stem + "revision", node.labels.get(stem + "rev", ""))
        if parts[0]:
            return _numbers(".".join([*parts, last]))
    return ()


def driver(case: Case, node: Node) -> Version:
    """As labels tell it, else a DRA driver's devices, else the exporter of the node."""
    told = driver_of_labels(node) or _numbers(_attribute(case, node, "driverVersion"))
    return told or next((_numbers(g.driver) for g in of_node(case, node.name) if g.driver), ())


def capability(case: Case, node: Node) -> Version:
    parts = [node.labels.get(f"nvidia.com/gpu.compute.{part}", "") for part in ("major", "minor")]
    if parts[0]:
        return _numbers(".".join(parts))
    return _numbers(_attribute(case, node, "cudaComputeCapability"))[:2]


def newest_cuda(case: Case, node: Node) -> Version:
    """The newest CUDA that the driver knows; labels call it the runtime version."""
    for stem in ("nvidia.com/cuda.runtime-version.", "nvidia.com/cuda.runtime."):
        parts = [node.labels.get(stem + part, "") for part in ("major", "minor")]
        if all(parts):
            return _numbers(".".join(parts))
    return _numbers(_attribute(case, node, "cudaDriverVersion"))[:2]


def _attribute(case: Case, node: Node, name: str) -> str:
    devices = gpus_of(case, node.name)
    return next((text for device in devices if (text := device.text(name))), "")


def cuda_of(container: Container) -> Version:
    """The CUDA an image was built with, where its name or environment says so."""
    for variable in container.env or ():
        if variable.name == "CUDA_VERSION" and variable.value:
            return _numbers(variable.value)[:2]
    found = _IMAGE_CUDA.search(container.image.partition("@")[0].lower())
    if found is None:
        return ()
    major, minor = found[1] or found[3], found[2] or found[4]
    return (int(major), int(minor)) if minor else (int(major),)


def _numbers(text: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text))


def misfits(case: Case, view: WorkloadView) -> Iterator[Misfit]:
    """On the nodes of the pods, or those that offer GPUs if the pods have none yet."""
    for node in _nodes(case, view):
        for container in view.containers:
            built = cuda_of(container)
            if built:
                yield from _of(case, node, built)


def _of(case: Case, node: Node, built: Version) -> Iterator[Misfit]:
    has, needs = driver(case, node), LEAST_DRIVER.get(built[0], ())
    cuda = ".".join(map(str, built))
    if has and has < needs:
        least = ".".join(map(str, needs[:2]))
        text = f"CUDA {cuda} needs driver {least}, {node.name} has {'.'.join(map(str, has))}"
        yield Misfit("gpu-driver-too-old", node, text)
    arch = capability(case, node)
    name = ".".join(map(str, arch))
    if arch and arch < OLDEST_CAPABILITY.get(built[0], ()):
        text = f"CUDA {cuda} has no code for compute capability {name} of {node.name}"
        yield Misfit("gpu-architecture-unsupported", node, text)
    first = next((cuda_ for least, cuda_ in FIRST_CUDA if arch >= least), ())
    if arch and built[1:] and built < first:
        text = f"compute capability {name} of {node.name} needs CUDA {first[0]}.{first[1]}"
        yield Misfit("gpu-architecture-unsupported", node, f"{text}, the image has {cuda}")


def _nodes(case: Case, view: WorkloadView) -> list[Node]:
    known = nodes_by_name(case)
    names = sorted({pod.spec.node_name for pod in view.pods if pod.spec.node_name})
    if names:
        return [known[name] for name in names if name in known]
    return [n for n in case.snapshot.nodes if gpu.offers(n) or gpus_of(case, n.name)]


def driver_fits(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        yield _judge(case, view)


def _judge(case: Case, view: WorkloadView) -> Result:
    nodes = _nodes(case, view)
    bad = list(misfits(case, view))
    evidence = tuple(Evidence("node", f"Node {m.node.name}", m.text) for m in bad[:3])
    if bad:
        return Result(Status.FAIL, bad[0].text, view.subject, evidence)
    doubt = _doubt(case, view, nodes)
    if doubt:
        return Result(Status.WARN, doubt, view.subject)
    if not any(driver(case, node) for node in nodes):
        return Result(
            Status.UNKNOWN,
            "nothing tells the version of the nodes' driver",
            view.subject,
            needs="labels of GPU feature discovery (nvidia.com/cuda.driver-version.*), a DRA "
            "driver's ResourceSlices, or the DCGM exporter",
        )
    if not any(cuda_of(container) for container in view.containers):
        return Result(
            Status.UNKNOWN,
            "the image does not tell its CUDA version",
            view.subject,
            needs="CUDA_VERSION in the container's environment, or in the image's name",
        )
    return Result(Status.PASS, "the driver is new enough for the image's CUDA", view.subject)


def _doubt(case: Case, view: WorkloadView, nodes: list[Node]) -> str:
    """What works today and may not tomorrow, or not for every program."""
    built = max((cuda_of(container) for container in view.containers), default=())
    for node in nodes:
        has, knows = driver(case, node), newest_cuda(case, node)
        if has and has[0] <= OLD_BRANCHES:
            return f"the driver of {node.name} ({has[0]}) is of a branch that has ended"
        if built[1:] and knows and built[0] == knows[0] and built > knows:
            cuda, newest = ".".join(map(str, built)), ".".join(map(str, knows))
            return (
                f"CUDA {cuda} on a driver that knows {newest}: compiled code runs, PTX does not "
                f"(error 222) on {node.name}"
            )
    return ""


def misfitting(case: Case) -> Iterable[Finding]:
    """Where pods are on such a node already."""
    for view in case.workloads:
        if not any(holds_gpu(case.snapshot, pod) for pod in view.pods):
            continue
        for found in misfits(case, view):
            evidence = Evidence("node", f"Node {found.node.name}", found.text)
            names = {"condition": found.text, "node": found.node.name}
            yield Finding(found.cause, view.subject, Certainty.LIKELY, (evidence,), names)


CHECKS = (
    Check(
        id="gpu-driver-fits",
        title="Driver and GPU fit the CUDA build",
        severity=Severity.ERROR,
        needs=("Node", "Pod"),
        run=driver_fits,
    ),
)
DETECTORS = (
    Detector(("gpu-driver-too-old", "gpu-architecture-unsupported"), ("Node", "Pod"), misfitting),
)
