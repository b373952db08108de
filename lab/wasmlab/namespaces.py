"""The lab's namespaces: one set for the whole lab, and a mount namespace for each node.

Process 1 of the lab's PID namespace holds them all; ending it ends every process of the lab,
and with the processes go the mounts and the network.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError
from .paths import LAB_DIR
from .processes import Component
from .shell import require, run

if TYPE_CHECKING:
    from collections.abc import Sequence

NETWORK = "192.0.2"
API_ADDRESS = f"{NETWORK}.10"
NODE_PATH = "/opt/kubernetes:/usr/sbin:/usr/bin:/sbin:/bin"


def node_address(index: int) -> str:
    """The address of a node, counted from 1."""
    return f"{NETWORK}.{10 + index}"


def start_holder(root: Path, log: Path) -> int:
    """Make the namespaces; returns the host's PID of their process 1."""
    holder = Component(
        "namespaces",
        [require("unshare", "install util-linux"), "--mount", "--net", "--pid", "--fork",
         "--kill-child", "--mount-proc", "--propagation", "private",
         root / "usr/bin/catatonit", "-P"],
        log,
    )  # fmt: skip
    holder.start()
    try:
        return _wait_for_child(holder, "catatonit")
    except BaseException:
        # Nobody knows its child yet, so nobody else would end it.
        holder.stop()
        raise


def start_node(pid: int, spec: Path, log: Path) -> int:
    """Make a node's mount namespace below the lab's; returns the host's PID of its holder."""
    node = Component(
        spec.stem,
        ["env", f"PYTHONPATH={LAB_DIR}", "unshare", "--mount", "--propagation", "private",
         sys.executable, "-m", "wasmlab.node_init", spec],
        log,
        entering(pid, "--mount", "--net", "--pid"),
    )  # fmt: skip
    node.start()
    return _wait_for_child(node, "catatonit")


def entering(pid: int, *namespaces: str) -> list[str]:
    """The words that start a program in some namespaces of a process."""
    return ["nsenter", "--target", str(pid), *namespaces, "--"]


def entering_node(node_pid: int) -> list[str]:
    """The words that start a program on a node: its files, the lab's network and processes.

    With an environment of its own: proxies and paths of the host mean nothing there.
    """
    words = entering(node_pid, "--mount", "--net", "--pid", "--root", "--wd")
    return [*words, "env", "-i", f"PATH={NODE_PATH}", "HOME=/root", "LANG=C.UTF-8"]


def configure_network(pid: int, nodes: int) -> None:
    """A network that ends in itself: Kubernetes insists on a default route, wherever it goes."""
    addresses = [API_ADDRESS, *(node_address(index + 1) for index in range(nodes))]
    commands = [
        "ip link set lo up",
        "ip link add eth0 type veth peer name eth0-peer",
        *(f"ip address add {address}/24 dev eth0" for address in addresses),
        "ip link set eth0 up",
        "ip link set eth0-peer up",
        f"ip route add default via {NETWORK}.1 dev eth0",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
    ]
    enter = entering(pid, "--net")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    run(
        [*enter, "sh", "-ec", "\n".join(commands)],
        hint="the lab needs iproute2 and a kernel with veth and bridge",
        env={**os.environ, "PATH": path},
    )


def start_time(pid: int) -> int | None:
    """When a process started, in the kernel's ticks; None when it is gone.

    Tells a process of the lab from another that got the same number later.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def end(processes: Sequence[tuple[int, int]], timeout: float = 15.0) -> None:
    """Kill processes, given as (PID, start time), and wait until the kernel has let them go."""
    living = [pid for pid, started in processes if start_time(pid) == started]
    for pid in living:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + timeout
    while left := [pid for pid in living if start_time(pid) is not None]:
        if time.monotonic() > deadline:
            raise LabError(f"processes {left} did not end", "look at them with ps")
        time.sleep(0.05)


def _wait_for_child(parent: Component, name: str, timeout: float = 30.0) -> int:
    """The child that a forking unshare or nsenter made, once it has become `name`."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        parent.check()
        for child in _children(parent.pid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() == name:
                    return child
        time.sleep(0.02)
    raise parent.failure(f"{parent.name} was not ready after {timeout:.0f} s")


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return found
