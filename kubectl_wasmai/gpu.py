"""Facts about GPUs on Kubernetes, in one place: how they are named, labelled and offered.

Sources: NVIDIA/k8s-device-plugin, NVIDIA/gpu-operator, ROCm/k8s-device-plugin,
intel-device-plugins-for-kubernetes, and what GKE, EKS, AKS and K3s install. What counts is
``node.status``: EKS and AKS offer GPUs without any DaemonSet, GKE with one of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, EnvVar, Node, Pod, PodSpec

_RESOURCE = re.compile(
    r"(?:nvidia\.com|amd\.com|gpu\.intel\.com)/.+|[\w.-]+/(?:[\w.-]*[-.])?v?gpus?(?:[-.][\w.-]*)?"
    r"|deviceclass\.resource\.kubernetes\.io/mig\..+"
)
_DRIVER = re.compile(r"(?:.*[.-])?(?:v?gpus?|mig|nvidia|cuda|rocm)(?:[.-].*)?")
# Intel's plugin offers these besides the devices: shares and monitoring, no GPU by themselves.
_NO_DEVICE = re.compile(r"gpu\.intel\.com/(?:.*_monitoring|millicores|memory\.max|tiles)")
_LABEL = re.compile(
    r"nvidia\.com/|(?:beta\.)?amd\.com/gpu|intel\.feature\.node\.kubernetes\.io/gpu"
    r"|cloud\.google\.com/gke-(?:accelerator|gpu)|karpenter\.k8s\.aws/instance-gpu"
    r"|feature\.node\.kubernetes\.io/pci-(?:03\d\d_)?(?:10de|1002|8086)\."
    r"|kubernetes\.azure\.com/accelerator|k8s\.amazonaws\.com/accelerator|accelerator$"
)
PRODUCT_LABELS = (
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "nvidia.com/gpu.present",
    "feature.node.kubernetes.io/pci-10de.present",
    "feature.node.kubernetes.io/pci-0302_10de.present",
    "feature.node.kubernetes.io/pci-0300_10de.present",
    "intel.feature.node.kubernetes.io/gpu",
)
"""Labels that say that a GPU is there, the most telling first."""

COUNT_LABELS = ("nvidia.com/gpu.count", "karpenter.k8s.aws/instance-gpu-count")
TAINT = "nvidia.com/gpu"
GPU_CLASSES = ("nvidia",)
"""Prefixes of RuntimeClasses and handlers that inject NVIDIA's driver."""

PLUGIN, DRIVER, TOOLKIT, VALIDATOR = "device plugin", "driver", "container toolkit", "validator"
EXPORTER, OPERATOR, DRA, OPERAND = "exporter", "operator", "DRA driver", "operand"

# The first that fits a component's name, labels or images is its role.
_ROLES = (
    (
        OPERAND,
        r"device-plugin-validator|(?:cuda|dra)-validat(?:or|ion)|mps-control-daemon|node-status-exporter",
    ),
    (DRA, r"dra-driver.*kubelet-plugin|gpu-kubelet-plugin|dra-driver-(?:nvidia|intel|amd)?-?gpu"),
    (EXPORTER, r"dcgm|gpu-metrics-exporter|amd-?gpu-exporter|device-metrics-exporter"),
    (VALIDATOR, r"(?:nvidia|gpu)-operator-validator"),
    (TOOLKIT, r"nvidia-container-toolkit"),
    (OPERAND, r"mig-manager|gpu-feature-discovery|amdgpu-labell?er|gpu-node-labell?er"),
    (DRIVER, r"(?:nvidia|amdgpu|gpu)-(?:gpu-)?driver"),
    (
        PLUGIN,
        (
            r"(?:nvidia|amd-?gpu|intel-gpu|rocm|gpu|cuda)[\w.-]*device-?plugin|k8s-device-plugin"
            r"|amdgpu-dp|(?:intel-)?gpu-plugin"
        ),
    ),
    (OPERATOR, r"gpu-operator"),
)
_ANY = re.compile("nvidia|gpu|amd|dcgm|rocm|device")
_ROLE_LABELS = ("app", "k8s-app", "name", "app.kubernetes.io/name", "app.kubernetes.io/component")
_VENDORS = (("amd", r"amd|rocm"), ("intel", r"intel"), ("nvidia", r""))
_known_roles: WeakKeyDictionary[WorkloadView, str] = WeakKeyDictionary()
"""Asked for a dozen times for each workload; gone when its snapshot is."""
_PLUGIN_VARIABLES = ("MIG_STRATEGY", "DEVICE_LIST_STRATEGY", "FAIL_ON_INIT_ERROR")


@lru_cache(maxsize=256)
def is_gpu(resource: str) -> bool:
    """Whether an extended resource of this name is a GPU, or a part of one."""
    return bool(_RESOURCE.fullmatch(resource)) and not _NO_DEVICE.fullmatch(resource)


def is_gpu_driver(name: str) -> bool:
    """Whether a DRA driver or device class of this name is about GPUs: ``gpu.nvidia.com``."""
    return bool(_DRIVER.fullmatch(name))


def is_gpu_label(key: str) -> bool:
    """Whether a node label of this key tells of GPUs."""
    return bool(_LABEL.match(key))


def vendor(resource: str) -> str:
    """``nvidia``, ``amd`` or ``intel``; another domain is its own vendor."""
    domain, _, name = resource.partition("/")
    if domain == "deviceclass.resource.kubernetes.io":
        return next((v for v in ("nvidia", "amd", "intel") if v in name), domain)
    return {"nvidia.com": "nvidia", "amd.com": "amd", "gpu.intel.com": "intel"}.get(domain, domain)


def is_gpu_class(name: str) -> bool:
    return name.startswith(GPU_CLASSES)


def role(view: WorkloadView) -> str:
    """What part of a GPU installation a workload is; empty for a workload that uses GPUs."""
    if view not in _known_roles:
        _known_roles[view] = _role(view)
    return _known_roles[view]


def _role(view: WorkloadView) -> str:
    if view.subject.kind not in ("DaemonSet", "Deployment"):
        return ""
    for words in _words(view):
        for role_, pattern in _ROLES if _ANY.search(words) else ():
            if re.search(pattern, words):
                return role_ if _may_be(role_, view) else ""
    names = {variable.name for container in view.containers for variable in container.env or ()}
    return PLUGIN if names.intersection(_PLUGIN_VARIABLES) else ""


def component_vendor(view: WorkloadView) -> str:
    text = " ".join(_words(view))
    return next(name for name, pattern in _VENDORS if re.search(pattern, text))


def _may_be(role_: str, view: WorkloadView) -> bool:
    return (role_ == OPERATOR) == (view.subject.kind == "Deployment") or role_ == EXPORTER


def _words(view: WorkloadView) -> list[str]:
    """Name, labels and images, in this order: a name of one's own says most."""
    labels = {**(view.metadata.labels or {}), **(view.template.labels or {})}
    images = [container.image.partition("@")[0] for container in view.containers]
    arguments = [word.rpartition("/")[2] for c in view.containers for word in (c.command or ())[:1]]
    named = [labels[key] for key in _ROLE_LABELS if key in labels]
    return [view.subject.name.lower(), " ".join(named).lower(), " ".join([*images, *arguments])]


def requests(spec: PodSpec) -> dict[str, int]:
    """GPUs that a pod asks for, by resource: its containers together, or one init container."""
    total: dict[str, int] = {}
    for container in spec.containers or ():
        for name, count in _of_container(container).items():
            total[name] = total.get(name, 0) + count
    for container in spec.init_containers or ():
        for name, count in _of_container(container).items():
            total[name] = max(total.get(name, 0), count)
    return {name: count for name, count in total.items() if count}


def _of_container(container: Container) -> dict[str, int]:
    amounts = {**(container.resources.limits or {}), **(container.resources.requests or {})}
    return {name: count(value) for name, value in amounts.items() if is_gpu(name)}


def count(amount: str | float | None) -> int:
    """An extended resource's amount; devices are whole."""
    try:
        return int(float(amount or 0))
    except (ValueError, OverflowError):
        return 0


def offers(node: Node) -> dict[str, tuple[int, int]]:
    """Capacity and allocatable of each GPU resource that the node has ever offered."""
    capacity, allocatable = node.status.capacity or {}, node.status.allocatable or {}
    return {
        name: (count(capacity.get(name, allocatable.get(name))), count(allocatable.get(name)))
        for name in sorted({*capacity, *allocatable})
        if is_gpu(name)
    }


def labels(node: Node) -> dict[str, str]:
    """The node's labels that tell of a GPU; those that say "no" left out."""
    return {
        key: value
        for key, value in sorted(node.labels.items())
        if is_gpu_label(key) and value not in ("false", "none", "0", "")
    }


def shows_gpu(node: Node) -> bool:
    """Whether labels say that a GPU is built in."""
    found = labels(node)
    return any(key in found for key in (*PRODUCT_LABELS, *COUNT_LABELS))


def expected_count(node: Node) -> int:
    """How many ``nvidia.com/gpu`` the labels promise; 0 where they do not say.

    Under MIG strategy "mixed" slices have names of their own, and the labels count whole GPUs.
    """
    strategy = node.labels.get("nvidia.com/mig.strategy", "none")
    if strategy == "mixed" or node.labels.get("nvidia.com/mig.config", "all-disabled") not in (
        "all-disabled",
        "",
    ):
        return 0
    number = next((count(node.labels[key]) for key in COUNT_LABELS if key in node.labels), 0)
    return number * max(1, count(node.labels.get("nvidia.com/gpu.replicas", "1")))


def settings(containers: Iterable[Container], name: str) -> str | None:
    """A setting of NVIDIA's plugin: a variable ``DEVICE_LIST_STRATEGY``, or an argument
    ``--device-list-strategy``; ``None`` where neither is there."""
    option = "--" + name.lower().replace("_", "-")
    for container in containers:
        for variable in container.env or ():
            if variable.name == name:
                return _value(variable)
        words = [*(container.command or ()), *(container.args or ())]
        for position, word in enumerate(words):
            key, equals, value = word.partition("=")
            if key == option:
                return value if equals else "".join(words[position + 1 : position + 2])
    return None


def _value(variable: EnvVar) -> str:
    """A reference to a ConfigMap is something, but nobody here knows what."""
    return "?" if variable.value_from else variable.value or ""


def wants_gpu(spec: PodSpec, annotations: Mapping[str, str]) -> bool:
    """Whether anything about a pod, but its claims, says that it is meant to use a GPU."""
    if requests(spec) or is_gpu_class(spec.runtime_class_name or ""):
        return True
    if any(is_gpu_label(key) for key in spec.node_selector or {}):
        return True
    if any(key.startswith("cdi.k8s.io/") for key in annotations):
        return True
    return any(_offloads(container) for container in spec.containers or ())


_LAYERS = re.compile(r"(?:^|\s)(?:--n-gpu-layers|-ngl)(?:=|\s+)([1-9-]\d*)")


def _offloads(container: Container) -> bool:
    line = " ".join([*(container.command or ()), *(container.args or ())])
    if _LAYERS.search(line):
        return True
    names = ("n_gpu_layers", "nvidia_visible_devices", "cuda_visible_devices")
    variables = {each.name.lower(): each.value or "" for each in container.env or ()}
    return any(variables.get(name) not in (None, "", "0", "void", "none", "-1") for name in names)


def granted(pod: Pod) -> bool:
    """Whether the pod holds GPUs on its node now."""
    return (
        bool(pod.spec.node_name)
        and pod.status.phase not in ("Failed", "Succeeded")
        and bool(requests(pod.spec))
    )
