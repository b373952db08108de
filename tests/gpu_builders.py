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
