"""Builds GPU nodes, what offers their GPUs, and pods that want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builders import container, deployment, meta, node, pod, pod_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

GPU = "nvidia.com/gpu"
PLUGIN = "nvidia-device-plugin-daemonset"

Json = dict[str, Any]


def gpu_node(
    name: str = "node1",
    *,
    capacity: int | None = None,
    allocatable: int | None = None,
    resource: str = GPU,
    labels: Mapping[str, str] | None = None,
    conditions: list[Json] | None = None,
    taints: list[Json] | None = None,
) -> Json:
    """A ready node. Without ``capacity`` it never offered a GPU; ``allocatable`` is as much
    unless it says otherwise."""
    made = node(name, labels=dict(labels or {}))
    amounts = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    free = capacity if allocatable is None else allocatable
    made["status"]["capacity"] = _with(amounts, resource, capacity)
    made["status"]["allocatable"] = _with(amounts, resource, free)
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}, *(conditions or ())]
    made["spec"] = {"taints": taints or []}
    return made


def _with(amounts: Json, resource: str, count: int | None) -> Json:
    return amounts if count is None else {**amounts, resource: str(count)}


def asking(count: int = 1, resource: str = GPU, **spec: Any) -> Json:
    """Deployment ``web``, a Linux container that wants GPUs."""
    amounts = {"cpu": "1", "memory": "64Mi", resource: str(count)}
    server = container(resources={"requests": amounts, "limits": amounts})
    return deployment(spec=pod_spec(server, runtime_class=None, **spec), annotations={})


def short(resource: str = GPU) -> str:
    """What the scheduler says where one node lacks the resource."""
    return (
        f"0/1 nodes are available: 1 Insufficient {resource}. preemption: 0/1 nodes are "
        "available: 1 No preemption victims found for incoming pod."
    )


def pending(owner: Json, message: str) -> Json:
    """A pod of ``owner`` that no node takes, in the scheduler's words."""
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    return pod(owner=owner, ready=False, node="", statuses=[], conditions=[scheduled])


def daemon_set(
    name: str = PLUGIN, *, image: str = "example.test/plugin:1", desired: int = 1, **spec: Any
) -> Json:
    """What offers GPUs, or measures them. ``spec`` is of its pods."""
    server = container(image=image, readinessProbe=None)
    template = {
        "metadata": {"labels": {"name": name}},
        "spec": pod_spec(server, runtime_class=None, **spec),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta(name),
        "spec": {"selector": {"matchLabels": {"name": name}}, "template": template},
        "status": {"desiredNumberScheduled": desired},
    }


def crashing(owner: Json, *, node: str = "node1", code: int = 1) -> Json:
    """A pod of ``owner`` in CrashLoopBackOff."""
    end = {"exitCode": code, "reason": "Error", "finishedAt": "2026-01-01T11:59:30Z"}
    status = {
        "name": "main",
        "ready": False,
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 2m40s"}},
        "lastState": {"terminated": end},
    }
    name = f"{owner['metadata']['name']}-x"
    return pod(name, owner=owner, node=node, ready=False, statuses=[status])


CLASS = "gpu.nvidia.com"


def device(
    name: str = "gpu-0",
    *,
    taints: list[Json] | None = None,
    memory: str = "80Gi",
    **attributes: str,
) -> Json:
    """As NVIDIA's DRA driver publishes it. Attributes with a dot in their value are versions."""
    told = {"type": "gpu", "productName": "NVIDIA H100 80GB HBM3", **attributes}
    return {
        "name": name,
        "attributes": {
            key: {"version" if key.endswith(("Version", "ility")) else "string": value}
            for key, value in told.items()
        },
        "capacity": {"memory": {"value": memory}},
        **({"taints": taints} if taints else {}),
    }


def resource_slice(
    *devices: Json, node: str = "node1", driver: str = CLASS, generation: int = 1
) -> Json:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "metadata": {"name": f"{node}-{driver}-{generation}"},
        "spec": {
            "driver": driver,
            "nodeName": node,
            "pool": {"name": node, "generation": generation},
            "devices": list(devices) or [device()],
        },
    }


def device_class(
    name: str = CLASS, *, expression: str = "", extended: str | None = None, driver: str = CLASS
) -> Json:
    cel = (
        expression or f"device.driver == '{driver}' && device.attributes['{driver}'].type == 'gpu'"
    )
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": name},
        "spec": {
            "selectors": [{"cel": {"expression": cel}}],
            **({"extendedResourceName": extended} if extended else {}),
        },
    }


def claim_spec(class_: str = CLASS, *, count: int = 1) -> Json:
    request = {"name": "gpu", "exactly": {"deviceClassName": class_, "count": count}}
    return {"devices": {"requests": [request]}}


def claim(
    name: str = "gpu", class_: str = CLASS, *, device: str = "", count: int = 1, node: str = "node1"
) -> Json:
    """``device``: it is allocated that one of ``node``."""
    result = {"request": "gpu", "driver": CLASS, "pool": node, "device": device}
    status = {"allocation": {"devices": {"results": [result]}}} if device else {}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": meta(name),
        "spec": claim_spec(class_, count=count),
        "status": status,
    }


def claim_template(name: str = "gpu", class_: str = CLASS) -> Json:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": meta(name),
        "spec": {"spec": claim_spec(class_)},
    }


def claiming(*, claim: str = "", template: str = "", **more: Any) -> Json:
    """Deployment ``web``, a Linux container that wants a GPU by a claim."""
    reference = {"resourceClaimName": claim} if claim else {"resourceClaimTemplateName": template}
    spec = pod_spec(runtime_class=None, resourceClaims=[{"name": "gpu", **reference}], **more)
    return deployment(spec=spec, annotations={})


NO_CLAIM = (
    "0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 "
    "nodes are available: 1 Preemption is not helpful for scheduling."
)


def wasm_asking() -> Json:
    """Deployment ``web``, a Wasm module that wants a GPU by count."""
    amounts = {"cpu": "1", "memory": "64Mi", GPU: "1"}
    server = container(resources={"requests": amounts, "limits": amounts}, command=["/a.wasm"])
    return deployment(spec=pod_spec(server))


def plugin(**env: str) -> Json:
    """NVIDIA's device plugin with these variables."""
    made = daemon_set()
    variables = [{"name": name, "value": value} for name, value in env.items()]
    made["spec"]["template"]["spec"]["containers"][0]["env"] = variables
    return made


def operator_resource(
    kind: str = "ClusterPolicy", name: str = "cluster-policy", *, reason: str = "", **status: Any
) -> Json:
    """``reason`` is of the condition Ready, which is True."""
    group = {"ClusterPolicy": "nvidia.com/v1", "DeviceConfig": "amd.com/v1alpha1"}
    ready = [{"type": "Ready", "status": "True", "reason": reason}] if reason else []
    return {
        "apiVersion": group.get(kind, "nvidia.com/v1alpha1"),
        "kind": kind,
        "metadata": {"name": name},
        "status": {"conditions": ready, "namespace": "gpu-operator", **status},
    }
