"""GPUs that others accuse: conditions and events as node monitors write them, labels of MIG."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .gpu_parts import asking, forgotten, labelled, linux_asking, settings
from .hosted import hosted, settled
from .images import actor, loaded
from .model import Expected, Fault, Object, Step
from .objects import deployment

if TYPE_CHECKING:
    from wasmlab.client import Lab

READY = r'"readyReplicas": 1'
LLAMA = "registry.example.com/llama/server-cuda:b3651"
MIG: dict[str, str | None] = {
    "nvidia.com/mig.config": "all-1g.10gb",
    "nvidia.com/mig.config.state": "failed",
    "nvidia.com/mig.strategy": "mixed",
}


def condition(type_: str, status: str, reason: str, message: str, node: str = "node1") -> Step:
    """A condition that is not the kubelet's; the kubelet leaves it alone."""

    def patch(lab: Lab, entry: Object) -> None:
        document = json.dumps({"status": {"conditions": [entry]}})
        lab.kubectl("patch", "node", node, "--subresource=status", "-p", document)

    def do(lab: Lab, _: str) -> None:
        now = lab.run("date", "-u", "+%Y-%m-%dT%H:%M:%SZ").stdout.strip()
        times = {"lastTransitionTime": now, "lastHeartbeatTime": now}
        said = {"type": type_, "status": status, "reason": reason, "message": message}
        patch(lab, {**said, **times})

    return Step(do, lambda lab, _: patch(lab, {"type": type_, "$patch": "delete"}))


def event(reason: str, message: str, type_: str = "Warning", node: str = "node1") -> Step:
    """As node-problem-detector reports what it read in the kernel's log."""

    def do(lab: Lab, _: str) -> None:
        now = lab.run("date", "-u", "+%Y-%m-%dT%H:%M:%SZ").stdout.strip()
        document = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{node}.", "namespace": "default"},
            "involvedObject": {"kind": "Node", "name": node, "uid": node},
            "reason": reason,
            "message": message,
            "type": type_,
            "source": {"component": "kernel-monitor", "host": node},
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
        }
        lab.kubectl("create", "-f", "-", stdin=json.dumps(document))

    return Step(do, lambda lab, _: lab.kubectl("-n", "default", "delete", "events", "--all"))


def _accused(name: str, *steps: Step, cause: str = "", unhealthy: int = 0) -> Fault:
    """A node with two GPUs, of which somebody uses one."""
    sick = (settled(settings(2, unhealthy=unhealthy)),) if unhealthy else ()
    return Fault(
        name,
        (Expected(cause or name.partition("--")[0], "Node", "node1", cluster=True),),
        (linux_asking(), deployment(name="neighbour")),
        READY,
        first=(forgotten(), labelled(), hosted(settings(2)), *sick, *steps),
        exclusive=True,
        namespaces=("default",),
    )


XID_79 = (
    "NVRM: Xid (PCI:0000:ca:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
)

FAULTS = (
    _accused(
        "gpu-hardware-fault",
        condition(
            *("AcceleratedHardwareReady", "False", "NvidiaXID79Error"),
            "GPU has fallen off the bus: Xid 79 on 0000:CA:00.0",
        ),
    ),
    _accused(
        "gpu-hardware-fault--memory",
        condition(
            *("GpuMemWatch", "True", "GpuMemWatchIsNotHealthy"),
            "[DCGM_FR_VOLATILE_DBE_DETECTED] Detected 1 volatile double-bit ECC error(s) in GPU 0. "
            "RecommendedAction: COMPONENT_RESET",
        ),
        unhealthy=1,
    ),
    _accused("gpu-hardware-fault--event", event("XidError", XID_79), unhealthy=1),
    _accused(
        "gpu-hardware-fault--xid-errors",
        condition(
            *("XIDErrors", "True", "XidErrorsFound"),
            "Xid errors found: 48, 63, 94. FaultCode: NHC2004",
        ),
    ),
    _accused(
        "gpu-lost--monitor",
        condition(
            *("GPUMissing", "True", "GPUMissing"),
            "Expected to see 8 GPUs but found 7. FaultCode: NHC2009",
        ),
    ),
    _accused(
        "gpu-thermal-or-power",
        condition(
            *("GpuThermalWatch", "True", "GpuThermalWatchIsNotHealthy"),
            "[DCGM_FR_CLOCKS_EVENT_THERMAL] Clocks event due to thermal violation in GPU 1",
        ),
    ),
    _accused(
        "gpu-thermal-or-power--power",
        condition(
            *("GpuPowerWatch", "True", "GpuPowerWatchIsNotHealthy"),
            "[DCGM_FR_CLOCKS_EVENT_HW_POWER] hardware power brake slowdown on GPU 0",
        ),
    ),
    Fault(
        "gpu-hardware-fault--log",
        (Expected("gpu-hardware-fault", "Node", "node1", cluster=True),),
        (linux_asking(LLAMA),),
        r"GPU is lost",
        first=(
            *(forgotten(), labelled(), hosted(settings(2))),
            loaded(actor(LLAMA, "/usr/local/bin/llama-server", "program-gpu-lost", 1)),
        ),
        exclusive=True,
        moments=("first", "settled", "late"),
    ),
    Fault(
        "mig-config-failed",
        (Expected("mig-config-failed", "Node", "node1", cluster=True),),
        (asking(resource="nvidia.com/mig-1g.10gb"),),
        r"Insufficient nvidia.com/mig-1g.10gb",
        first=(forgotten(), labelled(MIG)),
        exclusive=True,
    ),
    Fault(
        "mig-config-failed--whole",
        (Expected("mig-config-failed", "Node", "node1", cluster=True),),
        (asking(resource="nvidia.com/mig-1g.10gb"),),
        r"Insufficient nvidia.com/mig-1g.10gb",
        first=(forgotten(), labelled(MIG), hosted(settings(2))),
        exclusive=True,
    ),
)
