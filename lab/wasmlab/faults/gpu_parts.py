"""What offers GPUs on a cluster, in the forms in which vendors' manifests install it.

Names, labels, containers and variables are those that NVIDIA's and AMD's manifests give; what is
inside the images is the lab's: its device plugin, or an actor with the program's words.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import images, on_node
from .model import Step
from .objects import BUSYBOX, container, deployment, pod_spec

if TYPE_CHECKING:
    from wasmlab.client import Lab

    from .images import Make
    from .model import Object

GPU = "nvidia.com/gpu"
OPERATOR = "gpu-operator"
PLUGIN_IMAGE = "nvcr.io/nvidia/k8s-device-plugin:v0.17.4"
PLUGIN = "nvidia-device-plugin-daemonset"
PROGRAM = "/usr/bin/nvidia-device-plugin"
FOLDER = "/var/lib/kubelet/device-plugins"
GPU_TOLERATION = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
# What NVIDIA's feature discovery writes for two A100.
LABELS = {
    "feature.node.kubernetes.io/pci-10de.present": "true",
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.count": "2",
    "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB",
    "nvidia.com/gpu.memory": "40960",
    "nvidia.com/gpu.family": "ampere",
    "nvidia.com/gpu.compute.major": "8",
    "nvidia.com/gpu.compute.minor": "0",
    "nvidia.com/gpu.replicas": "1",
    "nvidia.com/cuda.driver-version.full": "570.124.06",
    "nvidia.com/cuda.driver-version.major": "570",
    "nvidia.com/cuda.driver-version.minor": "124",
    "nvidia.com/cuda.driver-version.revision": "06",
    "nvidia.com/cuda.runtime-version.full": "12.8",
    "nvidia.com/cuda.runtime-version.major": "12",
    "nvidia.com/cuda.runtime-version.minor": "8",
    "nvidia.com/mig.capable": "true",
    "nvidia.com/mig.strategy": "single",
    "nvidia.com/mps.capable": "false",
}


def settings(devices: int = 2, name: str = GPU, **more: Any) -> Object:
    """One resource of the plugin's settings."""
    return {"name": name, "devices": devices, **more}


def plugin_image(*resources: Object, name: str = PLUGIN_IMAGE, program: str = PROGRAM) -> Make:
    """The lab's plugin as a vendor's image."""
    return images.plugin(name, program, json.dumps({"resources": resources}).encode())


def daemon_set(
    name: str, namespace: str, labels: dict[str, str], spec: Object, **metadata: Any
) -> Object:
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, **metadata},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _plugin_spec(name: str, image: str, env: dict[str, str], **more: Any) -> Object:
    main = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "device-plugin", "mountPath": FOLDER}],
    }
    return {
        "priorityClassName": "system-node-critical",
        "terminationGracePeriodSeconds": 1,
        "tolerations": [GPU_TOLERATION],
        "containers": [main],
        "volumes": [{"name": "device-plugin", "hostPath": {"path": FOLDER}}],
        **more,
    }


def static_plugin(image: str = PLUGIN_IMAGE, **env: str) -> Object:
    """As ``nvidia-device-plugin.yml`` of the plugin's repository installs it."""
    variables = {"FAIL_ON_INIT_ERROR": "false", **env}
    spec = _plugin_spec("nvidia-device-plugin-ctr", image, variables)
    return daemon_set(PLUGIN, "kube-system", {"name": "nvidia-device-plugin-ds"}, spec)


HELM_TERMS = (
    "feature.node.kubernetes.io/pci-10de.present",
    "feature.node.kubernetes.io/cpu-model.vendor_id",
    "nvidia.com/gpu.present",
)


def helm_plugin(namespace: str, image: str = PLUGIN_IMAGE, **env: str) -> Object:
    """As the Helm chart installs release ``nvdp``, with its node affinity."""
    values = {HELM_TERMS[1]: "NVIDIA"}
    terms = [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [values.get(key, "true")]}]}
        for key in HELM_TERMS
    ]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    variables = {"MPS_ROOT": "/run/nvidia/mps", "NVIDIA_VISIBLE_DEVICES": "all", **env}
    labels = {
        "app.kubernetes.io/name": "nvidia-device-plugin",
        "app.kubernetes.io/instance": "nvdp",
    }
    affinity = {"nodeAffinity": required}
    spec = _plugin_spec("nvidia-device-plugin-ctr", image, variables, affinity=affinity)
    return daemon_set("nvdp-nvidia-device-plugin", namespace, labels, spec)


def operand(
    name: str, image: str, *init: str, main: str = "", limits: dict[str, str] | None = None
) -> Object:
    """A DaemonSet of the GPU Operator whose init containers wait for the layers below."""
    first = [
        {"name": each, "image": f"nvcr.io/nvidia/cloud-native/{each}:v25.3.2"} for each in init
    ]
    labels = {"app": name, "app.kubernetes.io/part-of": "nvidia-gpu"}
    spec = {
        "priorityClassName": "system-node-critical",
        "terminationGracePeriodSeconds": 1,
        "tolerations": [GPU_TOLERATION],
        "initContainers": first,
        "containers": [
            {"name": main or name, "image": image, "resources": {"limits": limits or {}}}
        ],
    }
    return daemon_set(name, OPERATOR, labels, spec)


def space(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def labelled(changes: dict[str, str | None] | None = None, node: str = "node1") -> Step:
    """GPU labels on a node, with ``changes``; ``None`` takes one away."""
    wanted = {k: v for k, v in {**LABELS, **(changes or {})}.items() if v is not None}
    return on_node.kubectl(
        *("label", "--overwrite", "node", node, *(f"{k}={v}" for k, v in wanted.items())),
        undo=("label", "node", node, *(f"{key}-" for key in wanted)),
    )


def tainted(key: str = GPU, value: str = "present", node: str = "node1") -> Step:
    """As pools of GPU nodes often are."""
    return on_node.kubectl(
        *("taint", "node", node, f"{key}={value}:NoSchedule", "--overwrite"),
        undo=("taint", "node", node, f"{key}-"),
    )


def asking(
    count: int = 1, resource: str = GPU, name: str = "web", replicas: int = 1, **spec: Any
) -> Object:
    """A Wasm Deployment that asks for GPUs."""
    resources = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "500m", "memory": "128Mi", resource: str(count)},
    }
    return deployment(
        pod_spec(container(resources=resources), **spec), name=name, replicas=replicas
    )


def linux_asking(
    image: str = BUSYBOX, name: str = "web", count: int = 1, runtime_class: str | None = None
) -> Object:
    """An ordinary container that asks for GPUs: a server that runs as CUDA programs do."""
    resources = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "500m", "memory": "128Mi", GPU: str(count)},
    }
    main = {"name": "server", "image": image, "resources": resources}
    spec = pod_spec(main, runtime_class=runtime_class)
    return deployment(spec, name=name, annotations={})


def forgotten(node: str = "node1") -> Step:
    """Afterwards the node has never had a GPU: the kubelet keeps the capacity of resources it
    once saw, in its checkpoint and in the node's status."""

    def undo(lab: Lab, _: str) -> None:
        on_node.stop_kubelet(lab, node)
        on_node.shell(lab, f"rm -f {FOLDER}/*", node=node)
        status = json.loads(lab.kubectl("get", "node", node, "-o", "json").stdout)["status"]
        operations = [
            {"op": "remove", "path": f"/status/{place}/{name.replace('/', '~1')}"}
            for place in ("capacity", "allocatable")
            for name in status.get(place, {})
            if "/" in name
        ]
        if operations:
            patch = ("--subresource=status", "--type=json", "-p", json.dumps(operations))
            lab.kubectl("patch", "node", node, *patch)
        on_node.start_kubelet(lab, node=node)
        on_node.healed(lab, node)

    return Step(lambda _, __: None, undo)
