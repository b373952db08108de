"""The lab as a whole: up and down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from . import cgroups, namespaces, node, state
from .build import ensure_kubernetes, locked
from .build_root import ensure_containerd2, ensure_root
from .control_plane import ControlPlane, Ports
from .errors import LabError
from .images import ensure_images
from .load import load_image
from .node_config import Node
from .paths import LAB_DIR, cache_dir, instance_name, state_dir
from .processes import Component, wait_until
from .progress import step
from .shell import require
from .state import LabState

if TYPE_CHECKING:
    from collections.abc import Callable

READY_SECONDS = 90.0


@dataclass(frozen=True)
class Shape:
    """What kind of lab to start."""

    nodes: int = 1
    containerd: int = 1
    registry: bool = False


@dataclass(frozen=True)
class Parts:
    """What was built."""

    binaries: Path
    layers: list[Path]
    images: list[Path]


def ensure_parts(containerd: int = 1) -> Parts:
    """Everything a lab needs, built where it is missing."""
    binaries = ensure_kubernetes()
    root = ensure_root()
    layers = [ensure_containerd2(), root] if containerd > 1 else [root]
    return Parts(binaries, layers, ensure_images())


def up(shape: Shape) -> LabState:
    """Start the lab and wait until it takes pods; taken down again when anything fails."""
    _require_root()
    # Before anybody has to wait: a build takes minutes.
    parts = ensure_parts(shape.containerd)
    with _one_at_a_time():
        return _up(shape, parts)


def _up(shape: Shape, parts: Parts) -> LabState:
    running = state.load()
    if running is not None and running.ready and running.is_alive("namespaces"):
        _say_already_up(running, shape)
        return running
    if running is not None:
        step("cleaning up what an earlier lab left behind")
        _tear_down(running)
    layout = cgroups.detect(Path("/proc/mounts").read_text())
    directory = state_dir()
    _make_state_folder(directory)
    lab = LabState(str(directory), shape.nodes, shape.containerd, shape.registry)
    lab.save()
    try:
        _start(lab, parts, layout)
    except BaseException as error:
        if isinstance(error, LabError):
            error.hint = error.hint.replace(str(lab.logs), str(_keep_logs(lab)))
        _tear_down(lab)
        raise
    return lab


def _say_already_up(lab: LabState, asked: Shape) -> None:
    step(f"the lab is already up; its kubeconfig is {lab.kubeconfig}")
    if asked != Shape(lab.nodes, lab.containerd, lab.registry):
        step("it has another shape than asked for: `lab/lab down` first to change it")
    if ended := [name for name in lab.processes if not lab.is_alive(name)]:
        step(f"ended since: {', '.join(ended)}; see `lab/lab logs`, or take it down and up")


def down() -> bool:
    """Take the lab down without a trace; False when there was none."""
    _require_root()
    with _one_at_a_time():
        running = state.load()
        if running is None:
            return False
        _tear_down(running)
        return True


def _one_at_a_time() -> contextlib.AbstractContextManager[None]:
    return locked("lab", "another lab is being started or stopped; waiting for it")


def _make_state_folder(directory: Path) -> None:
    """It goes as a whole when the lab goes down, so nothing else may be in it."""
    if directory.exists() and any(directory.iterdir()):
        raise LabError(
            f"{directory} is not empty and holds no lab",
            "set WASMAI_LAB_STATE to a folder that does not exist yet",
        )
    directory.mkdir(parents=True, exist_ok=True)


def _start(lab: LabState, parts: Parts, layout: cgroups.Layout) -> None:
    began = time.monotonic()
    nodes = [Node(n + 1, lab.containerd, wasm=n == 0) for n in range(lab.nodes)]
    cgroups.create(layout, instance_name(lab.path), [one.name for one in nodes])
    step("making the namespaces")
    lab.pid = namespaces.start_holder(parts.layers[-1], lab.logs / "namespaces.log")
    lab.record("namespaces", lab.pid)
    namespaces.configure_network(lab.pid, lab.nodes)
    step("starting the control plane")
    control_plane = _start_control_plane(lab, parts)
    components = list(control_plane.components)
    for one in nodes:
        step(f"starting {one.name}")
        components += node.start(one, lab, control_plane, parts.layers, layout)
    components.append(node.start_kube_proxy(nodes[0], lab))
    if lab.registry:
        components.append(node.start_registry(nodes[0], lab))
    step("loading the images")
    for tar in parts.images:
        load_image(lab, tar)
    step("waiting for the nodes")
    _wait_ready(control_plane, components, nodes)
    for component in components:
        component.check()
    lab.ready = True
    lab.save()
    step(f"the lab is up after {time.monotonic() - began:.0f} s")


def _start_control_plane(lab: LabState, parts: Parts) -> ControlPlane:
    control_plane = ControlPlane(
        parts.binaries,
        lab.path / "control-plane",
        address=namespaces.API_ADDRESS,
        ports=Ports(),
        controllers=True,
        prefix=namespaces.entering(lab.pid, "--mount", "--net", "--pid"),
        log_dir=lab.logs,
    )
    lab.port = _start_forwarder(lab, control_plane)
    control_plane.reached_at = ("127.0.0.1", lab.port)
    control_plane.start()
    for component in control_plane.components:
        lab.record(component.name, component.pid)
    control_plane.wait_ready()
    inner = control_plane.kubeconfig()
    shutil.copy(inner, lab.inner_kubeconfig)
    outer = control_plane.kubeconfig(server=f"https://127.0.0.1:{lab.port}")
    shutil.copy(outer, lab.kubeconfig)
    if user := os.environ.get("SUDO_UID"):
        # The one who asked for the lab wants to use it without sudo.
        os.chown(lab.kubeconfig, int(user), -1)
    return control_plane


def _start_forwarder(lab: LabState, control_plane: ControlPlane) -> int:
    """Returns the port on the host's loopback device."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = int(listener.getsockname()[1])
        forwarder = Component(
            "forwarder",
            ["env", f"PYTHONPATH={LAB_DIR}", sys.executable, "-m", "wasmlab.forwarder",
             str(listener.fileno()), control_plane.address, str(control_plane.ports.api),
             str(lab.pid)],
            lab.logs / "forwarder.log",
            namespaces.entering(lab.pid, "--net"),
            inherited=(listener.fileno(),),
        )  # fmt: skip
        forwarder.start()
        lab.record("forwarder", forwarder.pid)
    return port


def _wait_ready(
    control_plane: ControlPlane, components: list[Component], nodes: list[Node]
) -> None:
    """Until every node is Ready and pods can be made (the default service account exists)."""

    def answers(path: str, good: Callable[[bytes], bool]) -> Callable[[], bool]:
        def probe() -> bool:
            try:
                status, body = control_plane.request(path)
            except OSError:
                return False
            return status == HTTPStatus.OK and good(body)

        return probe

    for one in nodes:
        # The kubelet is the component whose log tells why its node is not ready.
        kubelet = [c for c in components if c.name == f"{one.name}-kubelet"]
        others = [c for c in components if c not in kubelet]
        path = f"/api/v1/nodes/{one.name}"
        wait_until(
            [*others, *kubelet], f"{one.name} being Ready", answers(path, is_ready), READY_SECONDS
        )
    path = "/api/v1/namespaces/default/serviceaccounts/default"
    manager = control_plane.components[2]
    wait_until([manager], "the default service account", answers(path, bool), READY_SECONDS)


def is_ready(node_json: bytes) -> bool:
    """Whether a Node object has the condition Ready, and no taint left from its start."""
    found = json.loads(node_json)
    conditions = {c["type"]: c["status"] for c in found["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not found["spec"].get("taints")


def _tear_down(lab: LabState) -> None:
    # The holder of the namespaces goes first and takes nearly everything with it.
    namespaces.end(list(lab.processes.values()))
    layout = cgroups.detect(Path("/proc/mounts").read_text())
    cgroups.remove(layout, instance_name(lab.path))
    shutil.rmtree(lab.path)


def _keep_logs(lab: LabState) -> Path:
    """Errors name log files in the state folder, which is about to go: keep a copy."""
    kept = cache_dir() / "failed-logs"
    with contextlib.suppress(OSError):
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(lab.logs, kept)
    return kept


def _require_root() -> None:
    if not sys.platform.startswith("linux"):
        raise LabError("the lab runs on Linux only", "use a Linux machine or virtual machine")
    if os.geteuid() != 0:
        raise LabError("only root can make the lab's namespaces", "run it with sudo")
    require("nsenter", "install util-linux")
    require("ip", "install iproute2 (apt-get install iproute2)")
    require("openssl", "install openssl (apt-get install openssl)")
