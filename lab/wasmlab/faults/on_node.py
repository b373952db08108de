"""What a person with a shell on a node can do to it: end and start its programs, change files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .model import Step

if TYPE_CHECKING:
    from wasmlab.client import Lab

    from .model import Object

NODE = "node1"
CONTAINERD = "/etc/wasmlab/containerd.toml"

# Processes of the lab's nodes share process ids; those of this node share its mount namespace.
_EACH = """
for p in /proc/[0-9]*; do
  [ "$(cat $p/comm 2>/dev/null)" = "$1" ] || continue
  [ "$(readlink $p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || continue
  kill -"$2" "${p#/proc/}"
done
"""
_START_CONTAINERD = f"setsid containerd --config {CONTAINERD} >/tmp/containerd.log 2>&1 &"
_KUBELET = """
for p in /proc/[0-9]*; do
  [ "$(cat $p/comm 2>/dev/null)" = kubelet ] || continue
  [ "$(readlink $p/ns/mnt)" = "$(readlink /proc/self/ns/mnt)" ] || continue
  tr '\\0' '\\n' < $p/cmdline | grep -v '^--eviction-hard' | tr '\\n' ' ' > /tmp/kubelet.words
  kill "${p#/proc/}"
  while [ -d "$p" ]; do sleep 0.1; done
done
"""
_SOCKET = "for i in $(seq 100); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done"
_START_KUBELET = "setsid $(cat /tmp/kubelet.words) $1 >/tmp/kubelet.log 2>&1 &"


def shell(lab: Lab, script: str, *words: str, node: str = NODE, check: bool = True) -> str:
    """Run a script on a node; returns what it said."""
    command = ("run", "--node", node, "--", "sh", "-c", script, "sh", *words)
    return lab.command(*command, check=check).stdout


def signal(lab: Lab, program: str, name: str, node: str = NODE) -> None:
    """Send a signal to the processes of that name on one node."""
    shell(lab, _EACH, program, name, node=node)


def stop_kubelet(lab: Lab, node: str = NODE) -> None:
    """End the kubelet and remember how it was started."""
    shell(lab, _KUBELET, node=node)


def start_kubelet(lab: Lab, more: str = "", node: str = NODE) -> None:
    """Start it again, with one more argument."""
    shell(lab, _START_KUBELET, more, node=node)


def start_containerd(lab: Lab, node: str = NODE) -> None:
    """Start containerd again, and wait until its kubelet has noticed."""
    shell(lab, _START_CONTAINERD, node=node)
    healed(lab, node)


def restart_containerd(lab: Lab, node: str = NODE) -> None:
    """Containers go on meanwhile."""
    signal(lab, "containerd", "KILL", node)
    start_containerd(lab, node)


def healed(lab: Lab, node: str = NODE) -> None:
    """Wait until a node is Ready, and no taint of that time is left."""
    shell(lab, _SOCKET, node=node)
    lab.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=90s")


def rollout(lab: Lab, namespace: str, name: str = "deployment/web") -> None:
    """Wait until a workload is whole."""
    lab.kubectl("-n", namespace, "rollout", "status", name, "--timeout=120s")


def changed(do: str, undo: str = "", node: str = NODE) -> Step:
    """A step of two scripts."""
    return Step(
        lambda lab, _: shell(lab, do, node=node),
        lambda lab, _: shell(lab, undo, node=node) if undo else None,
    )


def reconfigured(edit: str, node: str = NODE) -> Step:
    """A changed configuration of containerd: ``edit`` is a sed script, or text to append that
    begins with a bracket."""
    if edit.startswith("["):
        change = f"cat >> {CONTAINERD} <<'END'\n{edit}\nEND"
    else:
        change = f"sed -i '{edit}' {CONTAINERD}"

    def do(lab: Lab, _: str) -> None:
        shell(lab, f"cp {CONTAINERD} /tmp/containerd.before\n{change}", node=node)
        restart_containerd(lab, node)

    def undo(lab: Lab, _: str) -> None:
        shell(lab, f"cat /tmp/containerd.before > {CONTAINERD}", node=node)
        restart_containerd(lab, node)

    return Step(do, undo)


def kubectl(*words: str, undo: tuple[str, ...] = ()) -> Step:
    """One command, and one that takes it back. ``{namespace}`` stands for the fault's."""

    def call(lab: Lab, namespace: str, given: tuple[str, ...]) -> None:
        if given:
            lab.kubectl(*(word.replace("{namespace}", namespace) for word in given))

    return Step(
        lambda lab, namespace: call(lab, namespace, words),
        lambda lab, namespace: call(lab, namespace, undo),
    )


def restarted_kubelet(node: str = NODE) -> Step:
    """As after an upgrade or a reboot."""

    def do(lab: Lab, _: str) -> None:
        stop_kubelet(lab, node)
        start_kubelet(lab, node=node)
        healed(lab, node)

    return Step(do)


def applied(*objects: Object) -> Step:
    """Objects that come later than the fault's others; classes go again with it."""

    def do(lab: Lab, namespace: str) -> None:
        for each in objects:
            space = {} if each["kind"] == "RuntimeClass" else {"namespace": namespace}
            text = json.dumps({**each, "metadata": {**space, **each["metadata"]}})
            lab.kubectl("apply", "-f", "-", stdin=text)

    def undo(lab: Lab, _: str) -> None:
        for each in objects:
            if each["kind"] == "RuntimeClass":
                lab.kubectl("delete", "runtimeclass", each["metadata"]["name"])

    return Step(do, undo)


def once(condition: str, of: str) -> Step:
    """Wait for what ``kubectl wait --for`` understands, of an object in the fault's namespace."""
    words = ("wait", f"--for={condition}", *of.split(), "--timeout=90s")
    return Step(lambda lab, namespace: lab.kubectl("-n", namespace, *words))


def waited(name: str = "deployment/web") -> Step:
    """Until a workload of the fault's namespace is whole."""
    return Step(lambda lab, namespace: rollout(lab, namespace, name))
