"""Nodes that stop, lose their runtime or network, or run short. Each is mended afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import on_node
from .model import Expected, Fault, Step
from .objects import deployment

if TYPE_CHECKING:
    from wasmlab.client import Lab


def _stop_kubelet(lab: Lab, namespace: str) -> None:
    on_node.rollout(lab, namespace)
    on_node.signal(lab, "kubelet", "STOP")


def _continue_kubelet(lab: Lab, _: str) -> None:
    on_node.signal(lab, "kubelet", "CONT")
    on_node.healed(lab)


def _kill_containerd(lab: Lab, namespace: str) -> None:
    on_node.rollout(lab, namespace)
    on_node.signal(lab, "containerd", "KILL")


def _start_containerd(lab: Lab, _: str) -> None:
    on_node.start_containerd(lab)


def _remove_network(lab: Lab, _: str) -> None:
    on_node.shell(lab, "mv /etc/wasmlab/cni/10-wasmlab.conflist /etc/wasmlab/")


def _restore_network(lab: Lab, _: str) -> None:
    # containerd notices a file that is written, not one that is moved into place.
    on_node.shell(lab, "cd /etc/wasmlab && cat 10-wasmlab.conflist > cni/10-wasmlab.conflist")
    on_node.healed(lab)


def _press(lab: Lab, namespace: str) -> None:
    on_node.rollout(lab, namespace)
    on_node.stop_kubelet(lab)
    on_node.start_kubelet(lab, "--eviction-hard=memory.available<99%")


def _release(lab: Lab, _: str) -> None:
    # The kubelet keeps a pressure for five minutes after it has gone, unless it starts anew.
    on_node.stop_kubelet(lab)
    on_node.start_kubelet(lab)
    on_node.healed(lab)


ON_NODE1 = "Node", "node1"

FAULTS = (
    Fault(
        "network-plugin-not-ready",
        (Expected("network-plugin-not-ready", *ON_NODE1, cluster=True),),
        (deployment(replicas=2),),
        r"cni plugin not initialized",
        first=(Step(_remove_network, _restore_network),),
        exclusive=True,
    ),
    Fault(
        "container-runtime-down",
        (Expected("container-runtime-down", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"container runtime is down",
        then=(Step(_kill_containerd, _start_containerd),),
        exclusive=True,
    ),
    Fault(
        "node-not-ready",
        (Expected("node-not-ready", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"Kubelet stopped posting node status",
        then=(Step(_stop_kubelet, _continue_kubelet),),
        exclusive=True,
    ),
    Fault(
        "node-pressure",
        (Expected("node-pressure", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"KubeletHasInsufficientMemory",
        then=(Step(_press, _release),),
        exclusive=True,
    ),
)
