"""Making the lab's parts: the Kubernetes programs here, the rest through its neighbours.

Every part is made in a temporary folder of the cache and moved into place when it is whole, so
an interrupted build leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError
from .paths import KUBERNETES_VERSION, LAB_DIR, cache_dir, kubernetes_bin, registries_bin
from .progress import run_long, step
from .shell import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTROL_PLANE_PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
NODE_PROGRAMS = ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")
_ETCD_PACKAGE = "go.etcd.io/etcd/server/v3"
_NEEDED_BYTES = 6 * 1024**3


def ensure_control_plane() -> Path:
    """The folder with kube-apiserver, etcd and kubectl, built when missing; needs no root.

    Raises LabError where it cannot be built, such as without Go.
    """
    return _ensure_programs(CONTROL_PLANE_PROGRAMS)


def ensure_kubernetes() -> Path:
    """The folder with all the programs of a cluster, built when missing; needs no root."""
    return _ensure_programs((*CONTROL_PLANE_PROGRAMS, *NODE_PROGRAMS))


def ensure_device_plugin() -> Path:
    """The lab's own device plugin, built when missing or changed; needs no root."""
    source = LAB_DIR / "kubernetes"
    files = [source / "go.mod", *sorted((source / "deviceplugin").glob("*.go"))]
    content = b"".join(file.read_bytes() for file in files)
    target = cache_dir() / f"device-plugin-{hashlib.sha256(content).hexdigest()[:10]}"
    if not target.exists():
        with building("device-plugin") as temporary:
            if not target.exists():
                step("building the lab's device plugin")
                _go_build(["./deviceplugin"], "-s -w", temporary, source)
                (temporary / "deviceplugin").rename(target)
    return target


def ensure_registries() -> Path:
    """The folder with the registries `distribution` and `olareg`; needs no root.

    Raises LabError where they cannot be built, such as without Go.
    """
    target = registries_bin()
    if not target.exists():
        with building("registries") as temporary:
            if not target.exists():
                step("building the registries that tests talk to (a minute the first time)")
                made = temporary / "bin"
                _go_build(["./..."], "-s -w", made, LAB_DIR / "registries")
                made.rename(target)
    return target


@contextlib.contextmanager
def building(name: str) -> Iterator[Path]:
    """A temporary folder of the cache, gone afterwards whatever happens.

    One build of a part at a time: a second one waits here, and finds the part made when it looks
    again.
    """
    with locked(f"build-{name}", f"another build of {name} is running; waiting for it"):
        # What an earlier build left when it was killed; under the lock nobody uses it.
        for stale in cache_dir().glob(f"building-{name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"building-{name}-", dir=cache_dir()))
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def locked(name: str, waiting: str) -> Iterator[None]:
    """One at a time on this machine; says `waiting` when it has to wait."""
    cache = cache_dir()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / f".{name}.lock").open("w")
    except OSError as error:
        raise LabError(f"cannot write to {cache}: {error}", "set WASMAI_LAB_CACHE") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step(waiting)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_disk() -> None:
    """Refuse early where a build would fill the disk."""
    place = cache_dir()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < _NEEDED_BYTES:
        raise LabError(
            f"{free / 1024**3:.1f} GiB free at {place}; the build needs 6 GiB",
            "free some space, or set WASMAI_LAB_CACHE to a folder on a larger disk",
        )


def _ensure_programs(programs: Sequence[str]) -> Path:
    target = kubernetes_bin()
    if _missing(target, programs):
        with building("kubernetes") as temporary:
            # Another build may have made them while this one waited.
            missing = _missing(target, programs)
            if missing:
                _build_programs(missing, temporary)
                target.mkdir(parents=True, exist_ok=True)
                for name in missing:
                    (temporary / name).replace(target / name)
    return target


def _missing(target: Path, programs: Sequence[str]) -> list[str]:
    return [name for name in programs if not (target / name).exists()]


def _build_programs(programs: Sequence[str], into: Path) -> None:
    require_disk()
    step(f"building {', '.join(programs)} {KUBERNETES_VERSION} (minutes the first time)")
    major, minor, _ = KUBERNETES_VERSION.split(".")
    version = "k8s.io/component-base/version"
    flags = (
        f"-s -w -X {version}.gitVersion=v{KUBERNETES_VERSION}"
        f" -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    )
    _go_build([_package(name) for name in programs], flags, into, LAB_DIR / "kubernetes")
    # Go names a program after the last word of its path.
    if (into / "server").exists():
        (into / "server").rename(into / "etcd")


def _go_build(packages: Sequence[str], flags: str, into: Path, module: Path) -> None:
    """Build programs of the module in a folder, static ones."""
    go = require("go", "install Go 1.24 or newer (https://go.dev/dl); it builds the programs")
    run_long(
        "go build",
        [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{into}/", *packages],
        hint="the modules come from Go's module proxy; check `go env GOPROXY` and the network",
        cwd=module,
        env={"CGO_ENABLED": "0"},
    )


def _package(program: str) -> str:
    return _ETCD_PACKAGE if program == "etcd" else f"k8s.io/kubernetes/cmd/{program}"
