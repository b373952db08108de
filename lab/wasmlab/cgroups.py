"""The host's control groups: which layout it has, and the lab's own parent in it.

Three layouts are met: v2 (one hierarchy), v1 (one hierarchy for each controller) and hybrid,
which is v1 with an extra v2 hierarchy without controllers. crun refuses the hybrid one, so its
v2 part is never shown to the nodes.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

ROOT = Path("/sys/fs/cgroup")
_KUBELET_NEEDS = ("cpu", "cpuset", "memory", "pids")


@dataclass(frozen=True)
class Layout:
    """The hierarchies the nodes get: the one of v2, or those of v1 by mount point."""

    version: int
    mounts: tuple[Path, ...]


def detect(mounts_text: str) -> Layout:
    """The layout from the text of /proc/mounts; LabError where the nodes could not run."""
    v1: list[Path] = []
    controllers: set[str] = set()
    has_v2 = False
    for line in mounts_text.splitlines():
        _, target, kind, options, *_ = line.split()
        if kind == "cgroup":
            v1.append(Path(target))
            controllers.update(options.split(","))
        elif kind == "cgroup2" and Path(target) == ROOT:
            has_v2 = True
    if has_v2 and not v1:
        return Layout(2, (ROOT,))
    missing = [name for name in _KUBELET_NEEDS if name not in controllers]
    if missing:
        raise LabError(
            f"control groups without {', '.join(missing)} at {ROOT}",
            "mount the control groups (a usual Linux host or a privileged container has them)",
        )
    return Layout(1, tuple(dict.fromkeys(v1)))


def create(layout: Layout, instance: str, nodes: list[str]) -> None:
    """The lab's parent and one group for each node, in every hierarchy; kubelet wants them."""
    try:
        for hierarchy in layout.mounts:
            parent = hierarchy / instance
            for group in (parent, *(parent / node for node in nodes)):
                group.mkdir(exist_ok=True)
                _prepare(layout, group)
    except OSError as error:
        raise LabError(
            f"cannot make a control group: {error}",
            "the lab needs control groups it may write to; some containers lack them",
        ) from error


def remove(layout: Layout, instance: str, timeout: float = 10.0) -> None:
    """Take the lab's groups away; the kernel lets go of ended processes with some delay."""
    deadline = time.monotonic() + timeout
    for hierarchy in layout.mounts:
        top = hierarchy / instance
        while top.exists():
            _remove_tree(top)
            if top.exists():
                if time.monotonic() > deadline:
                    raise LabError(
                        f"the control group {top} is still in use",
                        f"look at {top}/cgroup.procs for what runs in it",
                    )
                time.sleep(0.1)


def _prepare(layout: Layout, group: Path) -> None:
    if layout.version == 1:
        # A new cpuset is empty, and no process may enter an empty one.
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (group / name).exists() and not (group / name).read_text().strip():
                (group / name).write_text((group.parent / name).read_text())
        return
    for name in (group.parent / "cgroup.controllers").read_text().split():
        # Some controllers (rdma, misc) may be refused; the kubelet names what it misses.
        with contextlib.suppress(OSError):
            (group.parent / "cgroup.subtree_control").write_text(f"+{name}")


def _remove_tree(top: Path) -> None:
    for directory, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            Path(directory).rmdir()
