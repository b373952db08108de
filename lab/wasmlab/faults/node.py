"""Nodes that stop, lose their runtime or network, or run short. Each is mended afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Expected, Fault
from .objects import deployment

if TYPE_CHECKING:
    from wasmlab.client import Lab

# Processes of the lab's nodes share process ids; those of this node share its mount namespace.
_EACH = """
for p in /proc/[0-9]*; do
  [ "$(cat $p/comm 2>/dev/null)" = "$1" ] || continue
  [ "$(readlink $p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || continue
  kill -"$2" "${p#/proc/}"
done
"""
_START_CONTAINERD = "setsid containerd --config /etc/wasmlab/containerd.toml >/tmp/c.log 2>&1 &"
_KUBELET = """
for p in /proc/[0-9]*; do
  [ "$(cat $p/comm 2>/dev/null)" = kubelet ] || continue
  [ "$(readlink $p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || continue
  words=$(tr '\\0' '\\n' < $p/cmdline | grep -v '^--eviction-hard' | tr '\\n' ' ')
  kill "${p#/proc/}"
  sleep 1
  setsid $words $1 >/tmp/k.log 2>&1 &
done
"""


def _node(lab: Lab, script: str, *words: str) -> None:
    lab.command("run", "--node", "node1", "--", "sh", "-c", script, "sh", *words)


def _ready(lab: Lab, namespace: str) -> None:
    words = ("rollout", "status", "deployment/web", "--timeout=60s")
    lab.kubectl("-n", namespace, *words)


def _stop_kubelet(lab: Lab, namespace: str) -> None:
    _ready(lab, namespace)
    _node(lab, _EACH, "kubelet", "STOP")


def _continue_kubelet(lab: Lab) -> None:
    _node(lab, _EACH, "kubelet", "CONT")
    _heal(lab)


def _kill_containerd(lab: Lab, namespace: str) -> None:
    _ready(lab, namespace)
    _node(lab, _EACH, "containerd", "KILL")


def _start_containerd(lab: Lab) -> None:
    _node(lab, _START_CONTAINERD)
    _heal(lab)


def _remove_network(lab: Lab) -> None:
    _node(lab, "mv /etc/wasmlab/cni/10-wasmlab.conflist /etc/wasmlab/")


def _restore_network(lab: Lab) -> None:
    # containerd notices a file that is written, not one that is moved into place.
    _node(lab, "cd /etc/wasmlab && cat 10-wasmlab.conflist > cni/10-wasmlab.conflist")
    _heal(lab)


def _press(lab: Lab, namespace: str) -> None:
    _ready(lab, namespace)
    _node(lab, _KUBELET, "--eviction-hard=memory.available<99%")


def _release(lab: Lab) -> None:
    _node(lab, _KUBELET, "")
    # The kubelet keeps a pressure for five minutes after it has gone, unless it starts anew.
    _heal(lab)


def _heal(lab: Lab) -> None:
    lab.kubectl("wait", "--for=condition=Ready", "node/node1", "--timeout=90s")


ON_NODE1 = "Node", "node1"

FAULTS = (
    Fault(
        "network-plugin-not-ready",
        (Expected("network-plugin-not-ready", *ON_NODE1, cluster=True),),
        (deployment(replicas=2),),
        r"cni plugin not initialized",
        before=_remove_network,
        after=_restore_network,
        exclusive=True,
    ),
    Fault(
        "container-runtime-down",
        (Expected("container-runtime-down", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"container runtime is down",
        change=_kill_containerd,
        after=_start_containerd,
        exclusive=True,
    ),
    Fault(
        "node-not-ready",
        (Expected("node-not-ready", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"Kubelet stopped posting node status",
        change=_stop_kubelet,
        after=_continue_kubelet,
        exclusive=True,
    ),
    Fault(
        "node-pressure",
        (Expected("node-pressure", *ON_NODE1, cluster=True),),
        (deployment(),),
        r"KubeletHasInsufficientMemory",
        change=_press,
        after=_release,
        exclusive=True,
    ),
)
