"""Pods that the scheduler can put nowhere."""

from __future__ import annotations

from .model import Expected, Fault, Object
from .objects import COMPAT_SMART, LIMITS, container, deployment, pod_spec
from .on_node import kubectl

TAINT = "example.com/reserved"
UNSCHEDULABLE = r"nodes are available"


def _asking(**requests: str) -> Object:
    amounts = {**LIMITS["requests"], **requests}
    limits = {**LIMITS["limits"], **requests}
    return pod_spec(container(resources={"requests": amounts, "limits": limits}))


def _affine(key: str, *values: str) -> Object:
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}]
    required = {"nodeSelectorTerms": terms}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


TAINTED = kubectl(
    *("taint", "nodes", "--all", f"{TAINT}=team-a:NoSchedule", "--overwrite"),
    undo=("taint", "nodes", "--all", f"{TAINT}-"),
)
CORDONED = kubectl("cordon", "node1", undo=("uncordon", "node1"))


POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "annotations": COMPAT_SMART},
    "spec": _asking(memory="900Gi"),
}

FAULTS = (
    Fault(
        "insufficient-cpu-or-memory",
        (Expected("insufficient-cpu-or-memory"),),
        (deployment(_asking(cpu="64"), replicas=2),),
        UNSCHEDULABLE,
    ),
    Fault(
        "insufficient-cpu-or-memory--pod",
        (Expected("insufficient-cpu-or-memory", kind="Pod"),),
        (POD, deployment(name="neighbour")),
        UNSCHEDULABLE,
    ),
    Fault(
        "node-selector-unmatched",
        (Expected("node-selector-unmatched"),),
        (deployment(pod_spec(nodeSelector={"example.com/wasm": "yes"})),),
        UNSCHEDULABLE,
    ),
    Fault(
        "node-selector-unmatched--affinity",
        (Expected("node-selector-unmatched"),),
        (deployment(pod_spec(affinity=_affine("topology.kubernetes.io/zone", "a", "b"))),),
        UNSCHEDULABLE,
    ),
    Fault(
        "untolerated-taint",
        (Expected("untolerated-taint"),),
        (deployment(replicas=2),),
        UNSCHEDULABLE,
        first=(TAINTED,),
        exclusive=True,
    ),
    Fault(
        "node-cordoned",
        (Expected("node-cordoned", "Node", "node1", cluster=True),),
        (deployment(replicas=2),),
        UNSCHEDULABLE,
        first=(CORDONED,),
        exclusive=True,
    ),
)
