"""Making a node's root file system from Debian packages, and programs of Debian's next suite.

All mounting happens in a mount namespace of the build's own, so an interrupted build leaves no
mount behind.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .build import building, require_disk
from .errors import LabError
from .paths import DEBIAN_SUITE, ROOT_PACKAGES, containerd2_root, node_root, plain_crun
from .progress import run_long, step
from .shell import require

if TYPE_CHECKING:
    from pathlib import Path

OTHER_SUITE = "sid"
_PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation", "private", "sh", "-ec"]
_HINT = "the packages come from Debian's mirror: check the network and any apt proxy"

_ROOT_SCRIPT = """
"$DEBOOTSTRAP" --variant=minbase "$SUITE" "$ROOT"
mount -t proc proc "$ROOT/proc"
cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
chroot "$ROOT" apt-get update
chroot "$ROOT" apt-get install -y --no-install-recommends $PACKAGES
chroot "$ROOT" apt-get clean
"""

# The package lists of the other suite are kept apart, so the node's own are not touched.
# sid's are valid for a week only: a mirror that lags is still good enough here.
_OTHER_SUITE_SCRIPT = """
mount --bind "$WORK" "$ROOT/mnt"
mount -t proc proc "$ROOT/proc"
mount --bind /etc/resolv.conf "$ROOT/etc/resolv.conf"
sed "s/ $SUITE / $OTHER /" "$ROOT/etc/apt/sources.list" >"$WORK/sources.list"
mkdir -p "$WORK/lists/partial" "$WORK/cache/archives/partial" "$WORK/unpacked"
chroot "$ROOT" sh -ec '
  cd /mnt
  options="-o Dir::Etc::sourcelist=/mnt/sources.list -o Dir::Etc::sourceparts=-
    -o Dir::State::lists=/mnt/lists -o Dir::Cache=/mnt/cache -o APT::Sandbox::User=root
    -o Acquire::Check-Valid-Until=false"
  apt-get $options update
  for package in '"$PACKAGES"'; do
    apt-get $options download "$package/'"$OTHER"'"
    dpkg-deb -x "$package"_*.deb /mnt/unpacked
  done
'
"""


def ensure_root() -> Path:
    """The cached root file system of a node, made when missing; needs root."""
    target = node_root()
    if not target.exists():
        with building("root") as temporary:
            if not target.exists():
                _build_root(temporary / "root")
                (temporary / "root").rename(target)
    return target


def ensure_containerd2() -> Path:
    """A folder with containerd 2's programs under usr/bin, to lay over a node's root."""
    # Its programs alone: other folders could hide the root's own.
    return _ensure_unpacked(["containerd"], ["usr/bin"], containerd2_root())


def ensure_plain_crun() -> Path:
    """A folder with a crun that was built without WebAssembly, as most distributions do, and the
    libraries it needs, under usr."""
    packages = ["crun", "libblake3-0", "libjson-c5"]
    return _ensure_unpacked(packages, ["usr/bin", "usr/lib"], plain_crun())


def _ensure_unpacked(packages: list[str], parts: list[str], target: Path) -> Path:
    if not target.exists():
        root = ensure_root()
        with building(packages[0]) as temporary:
            if not target.exists():
                _fetch(packages, root, temporary)
                for part in parts:
                    place = temporary / "layer" / part
                    place.parent.mkdir(parents=True, exist_ok=True)
                    (temporary / "unpacked" / part).rename(place)
                (temporary / "layer").rename(target)
    return target


def _build_root(root: Path) -> None:
    _require_linux_root()
    debootstrap = require("debootstrap", "install debootstrap: apt-get install debootstrap")
    require_disk()
    step(f"building a node's root file system from Debian {DEBIAN_SUITE} (about two minutes)")
    run_long(
        "root file system",
        [*_PRIVATE_MOUNTS, _ROOT_SCRIPT],
        hint=_HINT,
        env={
            "DEBOOTSTRAP": debootstrap,
            "SUITE": DEBIAN_SUITE,
            "ROOT": str(root),
            "PACKAGES": " ".join(ROOT_PACKAGES),
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        },
    )


def _fetch(packages: list[str], root: Path, work: Path) -> None:
    _require_linux_root()
    step(f"fetching {packages[0]} from Debian {OTHER_SUITE}")
    run_long(
        packages[0],
        [*_PRIVATE_MOUNTS, _OTHER_SUITE_SCRIPT],
        hint=_HINT,
        env={
            "PACKAGES": " ".join(packages),
            "SUITE": DEBIAN_SUITE,
            "OTHER": OTHER_SUITE,
            "ROOT": str(root),
            "WORK": str(work),
            "LC_ALL": "C.UTF-8",
        },
    )


def _require_linux_root() -> None:
    if not sys.platform.startswith("linux"):
        raise LabError("the lab runs on Linux only", "use a Linux machine or virtual machine")
    if os.geteuid() != 0:
        raise LabError("only root can make a node's root file system", "run it with sudo")
