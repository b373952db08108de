"""From a model file to an answer through a Service, by our own commands alone.

Built, pushed to the lab's registry, pulled by containerd of both generations, run by crun with
WasmEdge. The lab's own HTTP server stands in for the engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from image_builders import a_model
from wasmlab.client import Lab
from wasmlab.images import ensure_images
from wasmlab.node_config import REGISTRY
from wasmlab.paths import node_root

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

RUN_MAIN = "from kubectl_wasmai.cli.main import main; main()"
ROOT = str(Path(__file__).parents[2])
CLASS = "image-test"
NAMESPACE = "image-test"
Said = subprocess.CompletedProcess[str]


@dataclass
class Desk:
    """Somebody with a store of images, in a lab with a registry."""

    lab: Lab
    folder: Path

    def image(self, *words: object, path: str = "") -> Said:
        """``kubectl wasmai image …`` on this machine."""
        environment = {**os.environ, **self.environment}
        if path:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        return self._run(["image", *map(str, words)], environment)

    def image_in_lab(self, *words: object) -> Said:
        """The same in the lab's network, where its registry is."""
        lab = Lab({**self.lab.environment, **self.environment})
        return lab.run(sys.executable, "-c", RUN_MAIN, "image", *map(str, words), check=False)

    def wasmai(self, *words: str) -> Said:
        """Another command, for the lab's cluster."""
        config = {"KUBECONFIG": str(self.lab.kubeconfig), "PYTHONPATH": ROOT}
        return self._run([words[0], "-n", NAMESPACE, *words[1:]], {**os.environ, **config})

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": ROOT,
            "WASMAI_IMAGES": str(self.folder / "store"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }

    def answer(self, service: str) -> dict[str, object]:
        """What the module says through its Service."""
        address = self.lab.kubectl(
            "get", "-n", NAMESPACE, f"service/{service}", "-o", "jsonpath={.spec.clusterIP}"
        ).stdout
        patience = ("--retry", "10", "--retry-delay", "1", "--retry-connrefused")
        url = f"http://{address}:8080/health"
        found: dict[str, object] = json.loads(
            self.lab.run("curl", "-sS", "-m", "5", *patience, url).stdout
        )
        return found

    def _run(self, words: list[str], environment: dict[str, str]) -> Said:
        command = [sys.executable, "-c", RUN_MAIN, *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="module", params=["1", "2"], ids=["containerd-1", "containerd-2"])
def desk(
    lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("image")
    other = lab.beside(folder / "lab")
    other.command("up", "--registry", "--containerd", request.param)
    try:
        handler = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "crun"}
        for manifest in (
            {**handler, "metadata": {"name": CLASS}},
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        ):
            other.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
        other.kubectl("label", "ns", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        yield Desk(other, folder)
    finally:
        other.command("down")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's HTTP server, out of its image."""
    hello = next(path for path in ensure_images() if path.name.endswith("-hello.tar"))
    folder = tmp_path_factory.mktemp("hello")
    with tarfile.open(hello) as archive:
        for member in archive:
            if member.name.startswith("blobs/") and (blob := archive.extractfile(member)):
                try:
                    with tarfile.open(fileobj=blob) as layer:
                        layer.extract("hello.wasm", folder)
                except (tarfile.TarError, KeyError):
                    continue
    return folder / "hello.wasm"


def built(desk: Desk, engine: Path, name: str, *more: str, path: str = "") -> str:
    reference = f"{REGISTRY}/{name}"
    model = a_model(desk.folder)
    done = desk.image("build", model, "-t", reference, "--engine", engine, *more, path=path)
    assert done.returncode == 0, done.stderr
    return reference


def test_a_model_becomes_an_image_and_answers_through_a_service(desk: Desk, engine: Path) -> None:
    reference = built(desk, engine, "team/pulled:1")
    pushed = desk.image_in_lab("push", reference, "--plain-http")
    assert pushed.returncode == 0, pushed.stderr

    deployed = desk.wasmai("deploy", "pulled", "--image", reference, "--class", CLASS)
    assert deployed.returncode == 0, deployed.stderr
    assert desk.answer("pulled")["status"] == "ok"
    events = desk.lab.kubectl("get", "events", "-n", NAMESPACE).stdout
    assert f'Successfully pulled image "{reference}"' in events


def test_a_saved_image_is_imported_by_a_node_without_a_registry(desk: Desk, engine: Path) -> None:
    reference = built(desk, engine, "team/imported:1")
    tar = desk.folder / "imported.tar"
    assert desk.image("save", reference, "-o", tar).returncode == 0
    assert desk.lab.command("load", str(tar)).stdout.split() == [reference]

    words = ("--image", reference, "--class", CLASS, "--image-pull-policy", "Never")
    deployed = desk.wasmai("deploy", "imported", *words)
    assert deployed.returncode == 0, deployed.stderr
    assert desk.answer("imported")["status"] == "ok"


def test_a_compiled_engine_runs_under_the_name_of_a_module(desk: Desk, engine: Path) -> None:
    root = node_root()
    (linker,) = (root / "usr" / "lib").glob("*/ld-linux-*.so*")
    program = desk.folder / "bin" / "wasmedge"
    program.parent.mkdir(exist_ok=True)
    words = f"{linker} --library-path {linker.parent} {root / 'usr/bin/wasmedge'}"
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    reference = built(desk, engine, "team/compiled:1", "--aot", path=str(program.parent))
    assert desk.image_in_lab("push", reference, "--plain-http").returncode == 0

    deployed = desk.wasmai("deploy", "compiled", "--image", reference, "--class", CLASS)
    assert deployed.returncode == 0, deployed.stderr
    assert desk.answer("compiled")["status"] == "ok"


def test_a_pod_may_name_the_image_by_its_digest(desk: Desk, engine: Path) -> None:
    reference = built(desk, engine, "team/digest:1")
    pushed = desk.image_in_lab("push", reference, "--plain-http")
    named = pushed.stdout.split()[-1]
    assert "@sha256:" in named

    deployed = desk.wasmai("deploy", "digest", "--image", named, "--class", CLASS)
    assert deployed.returncode == 0, deployed.stderr
    assert desk.answer("digest")["status"] == "ok"
