"""Versions, and where the lab keeps what it built and what it runs.

The cache holds parts that are slow to make, each in a folder named by what determines its
content, so a changed version never meets a stale part. The state folder holds one running lab
and disappears with it.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

KUBERNETES_VERSION = "1.34.4"
DEBIAN_SUITE = "trixie"
WASMEDGE_VERSION = "0.14.1"  # as DEBIAN_SUITE has it
ZIG_VERSION = "0.16.0"

LAB_DIR = Path(__file__).resolve().parent.parent

# Packages of a node. catatonit is the sandbox image, busybox-static a Linux test image; tests
# sign images with cosign, and hold what we write against skopeo.
ROOT_PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "catatonit",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "cosign",
    "crun",
    "curl",
    "docker-registry",
    "iproute2",
    "iptables",
    "nftables",
    "procps",
    "runc",
    "skopeo",
    "wasmedge",
)


def cache_dir() -> Path:
    """The folder of built parts; several gigabytes once everything is built."""
    if explicit := os.environ.get("WASMAI_LAB_CACHE"):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "kubectl-wasmai-lab"


def state_dir() -> Path:
    """The folder of the running lab; another folder means another lab beside it."""
    return Path(os.environ.get("WASMAI_LAB_STATE") or "/run/kubectl-wasmai-lab").absolute()


def instance_name(state: Path) -> str:
    """A name for what the lab makes outside its namespaces (cgroups), unique per state folder."""
    return "wasmlab-" + hashlib.sha256(str(state).encode()).hexdigest()[:8]


def kubernetes_bin() -> Path:
    """Where the Kubernetes programs and etcd are kept."""
    return cache_dir() / f"kubernetes-{KUBERNETES_VERSION}" / "bin"


def registries_bin() -> Path:
    """Where the image registries are kept that tests talk to beside docker-registry."""
    sources = sorted(LAB_DIR.glob("registries/**/*.*"))
    content = b"".join(source.read_bytes() for source in sources if source.is_file())
    return cache_dir() / f"registries-{hashlib.sha256(content).hexdigest()[:10]}"


def node_root() -> Path:
    """The Debian root file system of a node; runs lay an overlay on it and never write to it."""
    packages = hashlib.sha256("\n".join(ROOT_PACKAGES).encode()).hexdigest()[:10]
    return cache_dir() / f"root-{DEBIAN_SUITE}-{packages}"


def containerd2_root() -> Path:
    """The unpacked containerd of the second generation."""
    return cache_dir() / "containerd-2"


def plain_crun() -> Path:
    """The unpacked crun of a distribution that builds it without WebAssembly."""
    return cache_dir() / "crun-without-wasm"


def wasi_nn() -> Path:
    """WasmEdge's WASI-NN plugin, with llama.cpp and without any backend."""
    return cache_dir() / f"wasi-nn-{WASMEDGE_VERSION}"


def zig_venv() -> Path:
    """The virtual environment that holds the C compiler for WebAssembly."""
    return cache_dir() / f"zig-{ZIG_VERSION}"


def architecture() -> str:
    """The machine's architecture in Go's and OCI's spelling."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
