"""Does the model fit the GPU's memory?

The API shows no file, so the model's size is estimated from its name; the GPU's memory is told by
labels, by devices of a DRA driver, by the name of a MIG slice, or by the exporter. Weights and
context must both fit, if all layers are to be in the GPU; otherwise llama.cpp ends, or leaves
layers to the CPU.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.gpu_metrics import MIB, of_node
from kubectl_wasmai.checks.gpu_use import NOT_WANTED, wanting

from kubectl_wasmai import gguf, gpu
from kubectl_wasmai.doctor.devices import by_key, claims_of, gpus_of
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.doctor.placement import nodes_by_name
from kubectl_wasmai.doctor.quantity import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Node

BUFFERS = 0.6 * 2.0**30
"""Bytes for CUDA's context and compute buffers: some hundred MiB, whatever the model."""
GKE_ACCELERATORS = {
    "nvidia-tesla-t4": 16,
    "nvidia-tesla-p4": 8,
    "nvidia-tesla-v100": 16,
    "nvidia-tesla-p100": 16,
    "nvidia-tesla-a100": 40,
    "nvidia-l4": 24,
    "nvidia-h200-141gb": 141,
    "nvidia-b200": 180,
}
"""GB, where the accelerator's name does not end with them (cloud.google.com/gke-accelerator)."""

_FILE = re.compile(r"[^\s:,;=\"']+\.gguf", re.IGNORECASE)
_CONTEXT = re.compile(r"(?:^|\s)(?:--ctx-size|--context-size|-c)(?:=|\s+)(\d{1,9})\b")
_LAYERS = re.compile(r"(?:^|\s)(?:--n-gpu-layers|-ngl|-g)(?:=|\s+)(\d{1,9})\b")
_GIGABYTES = re.compile(r"(\d{1,3})gb(?:$|[-_.])", re.IGNORECASE)


class Model(NamedTuple):
    """What is to be loaded, in bytes, and how that is known."""

    file: str
    weights: float
    context: float
    tokens: int

    @property
    def total(self) -> float:
        return self.weights + self.context + BUFFERS


class Room(NamedTuple):
    """Bytes of one GPU or slice, and where that is written."""

    bytes: float
    place: str
    shared: bool = False


def memory_suffices(case: Case) -> Iterable[Result]:
    wanted = wanting(case)
    if not wanted:
        yield Result(Status.SKIP, NOT_WANTED)
    for view in wanted:
        yield _judge(case, view)


def _judge(case: Case, view: WorkloadView) -> Result:
    model, rooms = model_of(view), list(rooms_of(case, view))
    if model is None:
        return Result(
            Status.UNKNOWN, "nothing tells the size of its model", view.subject,
            needs="a file name such as llama-2-7b-chat.Q4_K_M.gguf in the arguments, or the size "
            "of the file",
        )  # fmt: skip
    if not rooms:
        return Result(
            Status.UNKNOWN, "nothing tells the memory of the GPU", view.subject,
            needs="the label nvidia.com/gpu.memory of GPU feature discovery, a DRA driver's "
            "ResourceSlices, or the DCGM exporter",
        )  # fmt: skip
    number = max(1, sum(gpu.requests(view.spec).values()))
    return _compare(view, model, min(rooms), number)


def _compare(view: WorkloadView, model: Model, room: Room, number: int) -> Result:
    have = room.bytes * number
    told = (
        f"{model.file}: weights about {_gib(model.weights)}, context of {model.tokens} tokens "
        f"about {_gib(model.context)}; {_gib(have)} by {room.place}"
    )
    evidence = (Evidence("spec", str(view.subject), told),)
    if model.weights > have:
        reason = f"the weights alone ({_gib(model.weights)}) exceed the GPU's {_gib(have)}"
        return Result(Status.WARN, reason, view.subject, evidence)
    if model.total > have:
        reason = f"weights and context need about {_gib(model.total)}, the GPU has {_gib(have)}"
        return Result(Status.WARN, reason, view.subject, evidence)
    if room.shared and model.total > have / 2:
        reason = f"needs about {_gib(model.total)} of {_gib(have)} that other pods share"
        return Result(Status.WARN, reason, view.subject, evidence)
    reason = f"needs about {_gib(model.total)} of {_gib(have)}"
    return Result(Status.PASS, reason, view.subject, evidence)


def model_of(view: WorkloadView) -> Model | None:
    """The largest model that the pod template names."""
    found = [model for container_text in _texts(view) for model in _models(*container_text)]
    return max(found, key=lambda model: model.weights, default=None)


def _texts(view: WorkloadView) -> Iterator[tuple[str, str]]:
    """What may name a file, and the command line, of each container."""
    annotations = " ".join(view.template_annotations.values())
    for container in view.containers:
        line = " ".join([*(container.command or ()), *(container.args or ())])
        values = " ".join(variable.value or "" for variable in container.env or ())
        image = container.image.partition("@")[0].rpartition("/")[2].partition(":")[0] + ".gguf"
        yield f"{line} {values} {annotations} {image}", line


def _models(text: str, line: str) -> Iterator[Model]:
    context = next((int(match[1]) for match in _CONTEXT.finditer(line)), gguf.DEFAULT_CONTEXT)
    layers = [int(match[1]) for match in _LAYERS.finditer(line)]
    for match in _FILE.finditer(text):
        known = gguf.from_name(match[0])
        if known and layers != [0]:
            cache = context * gguf.bytes_a_token(known.parameters, match[0])
            yield Model(match[0].rpartition("/")[2], known.bytes, cache, context)


def rooms_of(case: Case, view: WorkloadView) -> Iterator[Room]:
    """Of each GPU that the pods have, or could get."""
    claimed = list(_claimed(case, view))
    if claimed:
        yield from claimed
        return
    for resource in gpu.requests(view.spec) or ("",):
        in_name = _GIGABYTES.search(resource) if "/mig-" in resource else None
        if in_name:
            yield Room(float(in_name[1]) * 1e9, f"the name {resource}")
            continue
        for node in _nodes(case, view, resource):
            yield from _of_node(case, node)


def _claimed(case: Case, view: WorkloadView) -> Iterator[Room]:
    for pod in view.pods:
        for claim in claims_of(case.snapshot, pod):
            allocation = claim.status.allocation
            for each in (allocation.devices.results if allocation else None) or ():
                device = by_key(case).get((each.driver, each.pool, each.device))
                if device and device.memory:
                    yield Room(device.memory, f"device {device.name} of {each.driver}")


def _nodes(case: Case, view: WorkloadView, resource: str) -> list[Node]:
    known = nodes_by_name(case)
    names = sorted({pod.spec.node_name for pod in view.pods if pod.spec.node_name})
    if names:
        return [known[name] for name in names if name in known]
    return [node for node in case.snapshot.nodes if resource in gpu.offers(node)]


def _of_node(case: Case, node: Node) -> Iterator[Room]:
    found = _labelled(node) or _published(case, node) or _exported(case, node)
    if found is not None:
        yield found


def _labelled(node: Node) -> Room | None:
    """Time-slicing gives each share the whole memory, MPS its part."""
    labels = node.labels
    strategy = labels.get("nvidia.com/gpu.sharing-strategy", "none")
    replicas = max(1, gpu.count(labels.get("nvidia.com/gpu.replicas", "1")))
    parts = replicas if strategy == "mps" else 1
    shared = strategy == "time-slicing" and replicas > 1
    for key, unit in (
        ("nvidia.com/gpu.memory", MIB),
        ("karpenter.k8s.aws/instance-gpu-memory", MIB),
    ):
        if gpu.count(labels.get(key)):
            return Room(gpu.count(labels[key]) * unit / parts, f"label {key}", shared)
    for key in ("amd.com/gpu.vram", "beta.amd.com/gpu.vram"):
        if amount(labels.get(key, "")):
            return Room(amount(labels[key]), f"label {key}")
    accelerator = labels.get("cloud.google.com/gke-accelerator", "")
    size = _GIGABYTES.search(accelerator)
    gigabytes = int(size[1]) if size else GKE_ACCELERATORS.get(accelerator, 0)
    return Room(gigabytes * 1e9, f"accelerator {accelerator}") if gigabytes else None


def _published(case: Case, node: Node) -> Room | None:
    known = [device for device in gpus_of(case, node.name) if device.memory]
    smallest = min(known, key=lambda device: device.memory, default=None)
    if smallest is None:
        return None
    return Room(smallest.memory, f"device {smallest.name} of {smallest.driver}")


def _exported(case: Case, node: Node) -> Room | None:
    known = [each for each in of_node(case, node.name) if each.memory]
    smallest = min(known, key=lambda each: each.memory or 0, default=None)
    if smallest is None or smallest.memory is None:
        return None
    return Room(smallest.memory * MIB, f"the exporter, for {smallest.name}")


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"


CHECKS = (
    Check(
        id="gpu-memory-suffices",
        title="The model fits the GPU's memory",
        severity=Severity.WARNING,
        needs=("Node", "Pod"),
        run=memory_suffices,
    ),
)
