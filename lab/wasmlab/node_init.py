"""Becomes a node: gives this process's new mount namespace a root file system of its own.

Run by the lab as `python3 -m wasmlab.node_init SPEC.json` under `unshare --mount`. The node's
root is an overlay on the cached one, written to memory only, so it vanishes with the
namespace; images and volumes lie on that memory directly, because an overlay cannot lie on an
overlay. Ends by becoming catatonit, which waits and reaps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from . import cgroups

# Folders that must not be on the overlay.
DATA = ("var/lib/containerd", "var/lib/kubelet", "var/lib/docker-registry")
BIN = Path("/opt/kubernetes")
CONFIG = Path("/etc/wasmlab")


@dataclass(frozen=True)
class NodeSpec:
    """What a node's file system is made of; paths of the host, as text for JSON."""

    layers: list[str]  # read-only roots, the uppermost first
    mountpoint: str  # an empty folder
    config: str  # seen by the node as /etc/wasmlab
    binaries: str  # seen by the node as /opt/kubernetes
    cgroup_version: int
    cgroup_mounts: list[str]

    def write(self, path: Path) -> Path:
        """Keep it for the process that becomes the node."""
        path.write_text(json.dumps(asdict(self)))
        return path


def main() -> None:
    """Mount, change root, wait for ever."""
    spec = NodeSpec(**json.loads(Path(sys.argv[1]).read_text()))
    root = _mount_root(spec)
    _mount_kernel(spec, root)
    os.chdir(root)
    (root / "mnt/host").mkdir(exist_ok=True)
    _call("pivot_root", ".", "mnt/host")
    os.chroot(".")
    os.chdir("/")
    _call("umount", "--lazy", "/mnt/host")
    # Mounts a container asks to share must travel between kubelet and containerd.
    _call("mount", "--make-rshared", "/")
    os.execv("/usr/bin/catatonit", ["catatonit", "-P"])  # noqa: S606 - becomes it


def _mount_root(spec: NodeSpec) -> Path:
    base = Path(spec.mountpoint)
    _call("mount", "-t", "tmpfs", "-o", "mode=755", "wasmlab", base)
    for name in ("upper", "work", "root", "data"):
        (base / name).mkdir()
    root = base / "root"
    layers = ":".join(spec.layers)
    options = f"lowerdir={layers},upperdir={base / 'upper'},workdir={base / 'work'}"
    _call("mount", "-t", "overlay", "-o", options, "wasmlab", root)
    for name in DATA:
        data = base / "data" / Path(name).name
        data.mkdir()
        _bind(data, root / name)
    _bind(Path(spec.config), root / CONFIG.relative_to("/"))
    _bind(Path(spec.binaries), root / BIN.relative_to("/"), read_only=True)
    return root


def _mount_kernel(spec: NodeSpec, root: Path) -> None:
    _call("mount", "-t", "proc", "proc", root / "proc")
    _call("mount", "-t", "sysfs", "sysfs", root / "sys")
    target = root / cgroups.ROOT.relative_to("/")
    if spec.cgroup_version == 1:
        _call("mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", target)
        for mounted in map(Path, spec.cgroup_mounts):
            _bind(mounted, target / mounted.name)
            # Joined controllers are also looked up one by one: cpu -> cpu,cpuacct.
            for name in mounted.name.split(","):
                if name != mounted.name:
                    (target / name).symlink_to(mounted.name)
    else:
        _bind(Path(spec.cgroup_mounts[0]), target)
    _call("mount", "--rbind", "/dev", root / "dev")
    for name in ("run", "tmp"):
        _call("mount", "-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=755",
              "wasmlab", root / name)  # fmt: skip


def _bind(source: Path, target: Path, *, read_only: bool = False) -> None:
    target.mkdir(parents=True, exist_ok=True)
    _call("mount", "--bind", source, target)
    if read_only:
        _call("mount", "-o", "remount,bind,ro", target)


def _call(*command: str | Path) -> None:
    words = [str(word) for word in command]
    print("+", *words, flush=True)
    subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
