"""What others make of our images, and we of theirs: skopeo, which reads as Docker and Podman do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from wasmlab.paths import node_root

if TYPE_CHECKING:
    from pathlib import Path

    from registries import Image, RegistryServer

pytestmark = pytest.mark.integration

Skopeo = Callable[..., str]
KEEP = ("--all", "--preserve-digests")
"""Else it would compress our layers on the way."""


@pytest.fixture(scope="session")
def loader() -> list[str]:
    """Words that start a program of the node's root here, with its own libraries."""
    root = node_root()
    if not (root / "usr" / "bin" / "skopeo").exists():
        pytest.skip("the lab is not built: lab/lab build")
    (linker,) = (root / "usr" / "lib").glob("*/ld-linux-*.so*")
    return [str(linker), "--library-path", str(linker.parent), str(root / "usr/bin/skopeo")]


@pytest.fixture
def skopeo(loader: list[str], home: Path) -> Skopeo:
    def run(*words: object) -> str:
        done = subprocess.run(
            [*loader, "--insecure-policy", "--tmpdir", str(home), *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def saved(image: Image, store: object, home: Path) -> Path:  # noqa: ARG001 - what is saved
    assert image("save", "local/mnist:1", "-o", home / "image.tar").code == 0
    return home / "image.tar"


def index_of(folder: Path) -> Any:
    return json.loads((folder / "index.json").read_text())["manifests"][0]


def test_our_file_is_a_docker_archive(skopeo: Skopeo, saved: Path, home: Path) -> None:
    """What ``docker load`` reads: manifest.json, and layers by the names in it."""
    shown = json.loads(skopeo("inspect", f"docker-archive:{saved}"))
    assert shown["Architecture"] == "amd64"
    assert len(shown["Layers"]) == 2
    skopeo("copy", f"docker-archive:{saved}:docker.io/local/mnist:1", f"dir:{home / 'out'}")


def test_our_file_is_an_oci_archive(skopeo: Skopeo, saved: Path, image: Image, home: Path) -> None:
    skopeo("copy", *KEEP, f"oci-archive:{saved}", f"oci:{home / 'out'}")

    ours = json.loads(image("inspect", "local/mnist:1", "-o", "json").out)
    assert index_of(home / "out")["digest"] == ours["digest"]


@pytest.mark.usefixtures("store")
def test_what_we_push_others_pull(
    skopeo: Skopeo, open_registry: RegistryServer, image: Image, home: Path
) -> None:
    name = f"{open_registry.host}/ours:1"
    pushed = image("push", "local/mnist:1", "--as", name)
    skopeo("copy", *KEEP, "--src-tls-verify=false", f"docker://{name}", f"oci:{home / 'out'}:1")

    assert index_of(home / "out")["digest"] in pushed.out


@pytest.mark.usefixtures("store")
def test_what_others_push_we_pull(
    skopeo: Skopeo, open_registry: RegistryServer, image: Image, saved: Path, home: Path
) -> None:
    """As Docker's kind of manifest, too, for one platform."""
    for name, more in (("theirs:1", ["--all"]), ("theirs:2", ["--format", "v2s2"])):
        target = f"{open_registry.host}/{name}"
        words = ["copy", *more, "--dest-tls-verify=false", f"oci-archive:{saved}"]
        skopeo(*words, f"docker://{target}")
        pulled = image("pull", target)
        assert pulled.code == 0, pulled
        report = json.loads(image("inspect", target, "-o", "json").out)
        assert report["model"]["inputs"][0]["name"] == "x"
        assert image("save", target, "-o", home / "theirs.tar").code == 0
