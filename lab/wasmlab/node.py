"""Starting one node: its folder of configuration, its mount namespace, its programs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import node_config
from .kubeconfig import write_kubeconfig
from .namespaces import entering_node, start_node
from .node_init import BIN, CONFIG, NodeSpec
from .paths import instance_name
from .processes import Component, wait_until

if TYPE_CHECKING:
    from .cgroups import Layout
    from .control_plane import ControlPlane
    from .node_config import Node
    from .state import LabState

CONTAINERD_SECONDS = 30.0


def start(
    node: Node,
    state: LabState,
    control_plane: ControlPlane,
    layers: list[Path],
    cgroup_layout: Layout,
) -> list[Component]:
    """Start the node; returns its programs, containerd already answering."""
    directory = state.path / node.name
    config = directory / "config"
    mountpoint = directory / "fs"
    mountpoint.mkdir(parents=True)
    write_config(node, config, control_plane, instance_name(state.path))
    spec = NodeSpec(
        layers=[str(layer) for layer in layers],
        mountpoint=str(mountpoint),
        config=str(config),
        binaries=str(control_plane.bin_dir),
        cgroup_version=cgroup_layout.version,
        cgroup_mounts=[str(path) for path in cgroup_layout.mounts],
    ).write(directory / f"{node.name}.json")
    pid = start_node(state.pid, spec, state.logs / f"{node.name}-files.log")
    state.node_pids[node.name] = pid
    state.record(f"{node.name} files", pid)
    containerd = _launch(
        node, state, "containerd", ["containerd", "--config", f"{CONFIG}/containerd.toml"]
    )
    socket = Path(f"/proc/{pid}/root/run/containerd/containerd.sock")
    wait_until([containerd], "containerd's socket", socket.exists, CONTAINERD_SECONDS)
    kubelet = _launch(
        node, state, "kubelet", [f"{BIN}/kubelet", *node_config.kubelet_arguments(node)]
    )
    return [containerd, kubelet]


def start_kube_proxy(node: Node, state: LabState) -> Component:
    """Start the lab's only kube-proxy, with the files of this node."""
    command = [f"{BIN}/kube-proxy", f"--config={CONFIG}/kube-proxy.json"]
    return _launch(node, state, "kube-proxy", command)


def start_registry(node: Node, state: LabState) -> Component:
    """Start the image registry on a node."""
    return _launch(node, state, "registry", ["docker-registry", "serve", f"{CONFIG}/registry.json"])


def write_config(node: Node, config: Path, control_plane: ControlPlane, instance: str) -> None:
    """Everything the node sees as /etc/wasmlab."""
    authority = control_plane.ca
    registry = config / "certs.d" / node_config.REGISTRY
    registry.mkdir(parents=True)
    (config / "cni").mkdir()
    serving = authority.issue(f"{node.name}-serving", hosts=[node.name, node.address])
    shutil.copy(serving.certificate, config / "kubelet.crt")
    shutil.copy(serving.key, config / "kubelet.key")
    shutil.copy(authority.certificate, config / "ca.crt")
    identities = {
        "kubelet": authority.issue(f"system:node:{node.name}", ["system:nodes"]),
        "kube-proxy": authority.issue("system:kube-proxy"),
        "admin": authority.issue("admin", ["system:masters"]),
    }
    for name, identity in identities.items():
        target = config / f"{name}.kubeconfig"
        write_kubeconfig(target, control_plane.url, authority.certificate, identity)
    files = {
        "containerd.toml": node_config.containerd_config(node),
        "kubelet.json": node_config.kubelet_config(node, instance),
        "kube-proxy.json": node_config.kube_proxy_config(node),
        "cni/10-wasmlab.conflist": node_config.cni_config(node),
        "registry.json": node_config.registry_config(),
        # There is no name server; a wrong answer at once is better than a wait.
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    }
    for name, text in files.items():
        (config / name).write_text(text)
    (registry / "hosts.toml").write_text(node_config.registry_hosts())


def _launch(node: Node, state: LabState, name: str, command: list[str]) -> Component:
    full_name = f"{node.name}-{name}"
    component = Component(
        full_name,
        command,
        state.logs / f"{full_name}.log",
        entering_node(state.node_pids[node.name]),
    )
    component.start()
    state.record(full_name, component.pid)
    return component
