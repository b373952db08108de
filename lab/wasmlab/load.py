"""Bringing images to the nodes: into containerd, or into the lab's registry."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LabError
from .namespaces import entering_node
from .node_config import REGISTRY
from .shell import run

if TYPE_CHECKING:
    from .state import LabState

_CTR = ["ctr", "--namespace", "k8s.io", "images"]


def load_image(state: LabState, tar: Path) -> list[str]:
    """Import an image tar (OCI layout or docker save) on all nodes; returns its names."""
    names = image_names(tar)
    for pid in state.node_pids.values():
        _ctr(pid, [*_CTR, "import", "-"], tar)
    return names


def image_names(tar: Path) -> list[str]:
    """The full names of the images in a tar, as Kubernetes will know them."""
    try:
        with tarfile.open(tar, "r:") as archive:
            names = _oci_names(archive) or _docker_names(archive)
    except (OSError, tarfile.TarError, ValueError) as error:
        raise LabError(
            f"cannot read the image {tar}: {error}", "give the path of an uncompressed image tar"
        ) from error
    if not names:
        raise LabError(
            f"no image in {tar} has a name",
            "save it by its name (`docker save NAME:TAG`), or write io.containerd.image.name",
        )
    return names


def _oci_names(archive: tarfile.TarFile) -> list[str]:
    index = _member(archive, "index.json")
    manifests = index.get("manifests", []) if isinstance(index, dict) else []
    annotations = [manifest.get("annotations", {}) for manifest in manifests]
    names = [one.get("io.containerd.image.name", "") for one in annotations]
    return [name for name in names if name]


def _docker_names(archive: tarfile.TarFile) -> list[str]:
    images = _member(archive, "manifest.json")
    return [name for image in images or [] for name in image.get("RepoTags") or []]


def _member(archive: tarfile.TarFile, name: str) -> Any:
    try:
        stream = archive.extractfile(name)
    except KeyError:
        return None
    return None if stream is None else json.load(stream)


def push_image(state: LabState, tar: Path, name: str) -> str:
    """Put an image tar into the lab's registry as `name` (such as hello:1); returns its name.

    It passes through a containerd namespace that Kubernetes does not look into, so a pod of it
    really pulls.
    """
    if not state.registry:
        raise LabError("the lab has no registry", "`lab/lab down`, then `lab/lab up --registry`")
    image_names(tar)
    pid = next(iter(state.node_pids.values()))
    ctr = ["ctr", "--namespace", "push", "images"]
    for old in _ctr(pid, [*ctr, "list", "--quiet"]).split():
        _ctr(pid, [*ctr, "remove", old])
    _ctr(pid, [*ctr, "import", "--no-unpack", "-"], tar)
    source = _ctr(pid, [*ctr, "list", "--quiet"]).split()[0]
    target = f"{REGISTRY}/{name}"
    _ctr(pid, [*ctr, "tag", source, target])
    _ctr(pid, [*ctr, "push", "--plain-http", target])
    return target


def _ctr(pid: int, command: list[str], tar: Path = Path(os.devnull)) -> str:
    return run(
        [*entering_node(pid), *command],
        stdin=tar,
        hint="`lab/lab logs node1-containerd` shows what containerd says",
    )
