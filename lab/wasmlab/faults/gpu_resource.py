"""GPUs that are asked for and not to be had: none, too few, taken, of another name, gone."""

from __future__ import annotations

from .gpu_parts import (
    GPU,
    asking,
    forgotten,
    labelled,
    linux_asking,
    plugin_image,
    settings,
    static_plugin,
)
from .hosted import ended, hosted, settled
from .images import loaded
from .model import ALL, Expected, Fault, Object, Shape, Step
from .objects import COMPAT_SMART, deployment
from .on_node import kubectl, restarted_kubelet, waited

SHORT = r"Insufficient nvidia.com/gpu"
MIG = "nvidia.com/mig-1g.10gb"
MIXED: dict[str, str | None] = {
    "nvidia.com/mig.strategy": "mixed",
    "nvidia.com/mig.config": "all-1g.10gb",
    "nvidia.com/mig.config.state": "success",
}
SHARED: dict[str, str | None] = {
    "nvidia.com/gpu.replicas": "4",
    "nvidia.com/gpu.sharing-strategy": "time-slicing",
    "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB",
}
TWO = Shape(nodes=2)
WITH_GPU_LEFT = (hosted(settings(2)), ended(GPU), restarted_kubelet())
"""The node remembers ``nvidia.com/gpu: 0``."""


def _on_node1(cause: str, node: str = "node1") -> tuple[Expected, ...]:
    return (Expected(cause, "Node", node, cluster=True),)


def _pod(count: int = 1, resource: str = GPU) -> Object:
    spec = asking(count, resource)["spec"]["template"]["spec"]
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _other(name: str, *first: Step, asked: str = GPU) -> Fault:
    return Fault(
        name,
        (Expected("gpu-resource-name-mismatch"),),
        (asking(resource=asked),),
        rf"Insufficient {asked}",
        first=(forgotten(), *first),
        exclusive=True,
    )


FAULTS = (
    Fault(
        "gpu-resource-absent",
        (Expected("gpu-resource-absent"),),
        (asking(replicas=2),),
        SHORT,
        forms=("yaml", "one-list", "no-events"),
    ),
    Fault(
        "gpu-resource-absent--amd-pod",
        (Expected("gpu-resource-absent", "Pod"),),
        (_pod(resource="amd.com/gpu"), deployment(name="neighbour")),
        r"Insufficient amd.com/gpu",
    ),
    Fault(
        "gpu-exhausted",
        (Expected("gpu-exhausted"),),
        (asking(2, name="trainer"), asking()),
        SHORT,
        first=(forgotten(), labelled(), hosted(settings(2))),
        exclusive=True,
        forms=("plain-logs",),
    ),
    Fault(
        "gpu-exhausted--rollout",
        (Expected("gpu-exhausted"),),
        (asking(),),
        SHORT,
        first=(forgotten(), hosted(settings(1))),
        then=(waited(), kubectl("-n", "{namespace}", "set", "env", "deployment/web", "REVISION=2")),
        exclusive=True,
    ),
    Fault(
        "gpu-request-too-large",
        (Expected("gpu-request-too-large"),),
        (asking(4), asking(1, name="small")),
        SHORT,
        first=(forgotten(), labelled(), hosted(settings(2))),
        exclusive=True,
    ),
    Fault(
        "gpu-request-too-large--two-nodes",
        (Expected("gpu-request-too-large"),),
        (asking(3),),
        SHORT,
        first=(
            *(forgotten(), forgotten("node2"), labelled(), labelled(node="node2")),
            *(hosted(settings(2)), hosted(settings(2), node="node2")),
        ),
        exclusive=True,
        shape=TWO,
    ),
    _other("gpu-resource-name-mismatch", labelled(MIXED), hosted(settings(14, MIG))),
    _other(
        "gpu-resource-name-mismatch--shared",
        labelled(SHARED),
        hosted(settings(8, "nvidia.com/gpu.shared")),
    ),
    _other("gpu-resource-name-mismatch--vendor", hosted(settings(2, "amd.com/gpu"))),
    _other("gpu-resource-name-mismatch--whole", labelled(), hosted(settings(2)), asked=MIG),
    _other(
        "gpu-resource-name-mismatch--left-over",
        *(*WITH_GPU_LEFT, labelled(MIXED), hosted(settings(14, MIG))),
    ),
    Fault(
        "gpu-device-unhealthy--starved",
        _on_node1("gpu-device-unhealthy"),
        (asking(name="trainer"), asking()),
        SHORT,
        first=(forgotten(), labelled(), hosted(settings(2)), settled(settings(2, unhealthy=1))),
        exclusive=True,
    ),
    Fault(
        "gpu-device-unhealthy--bystander",
        _on_node1("gpu-device-unhealthy"),
        (static_plugin(), linux_asking()),
        r'"readyReplicas": 1',
        first=(
            *(forgotten(), loaded(plugin_image(settings(4, unhealthy=1)))),
            labelled({"nvidia.com/gpu.count": "4"}),
        ),
        exclusive=True,
    ),
    Fault(
        "gpu-lost",
        _on_node1("gpu-lost"),
        (asking(),),
        SHORT,
        first=(forgotten(), labelled(), hosted(settings(2)), ended(GPU)),
        exclusive=True,
        moments=ALL,
    ),
    Fault(
        "gpu-lost--below-label",
        _on_node1("gpu-lost"),
        (static_plugin(), linux_asking()),
        r'"readyReplicas": 1',
        first=(
            *(forgotten(), labelled({"nvidia.com/gpu.count": "8"})),
            loaded(plugin_image(settings(7))),
        ),
        exclusive=True,
    ),
    Fault(
        "gpu-lost--zero",
        _on_node1("gpu-lost"),
        (asking(2),),
        SHORT,
        first=(forgotten(), *WITH_GPU_LEFT),
        exclusive=True,
    ),
)
