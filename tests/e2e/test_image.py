"""From a model file to an answer through a Service, by our own commands alone.

Built with the engine that ships, pushed to the lab's registry, signed by the real cosign, pulled by
containerd of both generations, run by crun with WasmEdge: interpreted, and compiled ahead of time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wasmengine import gguf_files
from wasmlab.client import Lab
from wasmlab.node_config import REGISTRY
from wasmlab.paths import node_root

from kubectl_wasmai import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

DEMO = Path(demo.__file__).parent
GREEDY = {"prompt": "hello world", "temperature": 0, "max_tokens": 16}
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
    programs: Path
    """Put before PATH: wasmedge and cosign."""

    def here(self, *words: object) -> str:
        """What a command prints that needs no network."""
        done = self._run(list(map(str, words)), {**os.environ, **self.environment})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def in_lab(self, *words: object) -> str:
        """The same in the lab's network, where its registry is."""
        lab = Lab({**self.lab.environment, **self.environment})
        done = lab.run(sys.executable, "-c", RUN_MAIN, *map(str, words), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deploy(self, name: str, image: str, *more: str) -> None:
        """``kubectl wasmai deploy`` with its defaults, until it is ready."""
        config = {"KUBECONFIG": str(self.lab.kubeconfig), "PYTHONPATH": ROOT}
        words = ["deploy", name, "-n", NAMESPACE, "--image", image, "--class", CLASS, *more]
        done = self._run(words, {**os.environ, **config})
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": ROOT,
            "WASMAI_IMAGES": str(self.folder / "store"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder.parent / "cache"),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "COSIGN_PASSWORD": "x",
        }

    def ask(self, service: str, path: str, body: str) -> dict[str, Any]:
        """What the model answers through its Service."""
        address = self.lab.kubectl(
            "get", "-n", NAMESPACE, f"service/{service}", "-o", "jsonpath={.spec.clusterIP}"
        ).stdout
        # kube-proxy learns of a ready pod a bit later.
        patience = ("--retry", "10", "--retry-delay", "1", "--retry-connrefused")
        words = ("curl", "-sS", "-f", "-m", "20", *patience, "-d", body)
        found: dict[str, Any] = json.loads(
            self.lab.run(*words, f"http://{address}:8080{path}").stdout
        )
        return found

    def log(self, name: str) -> str:
        return self.lab.kubectl("logs", "-n", NAMESPACE, f"deployment/{name}").stdout

    def _run(self, words: list[str], environment: dict[str, str]) -> Said:
        command = [sys.executable, "-c", RUN_MAIN, *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of the lab's node, to be called here."""
    root, folder = node_root(), tmp_path_factory.mktemp("bin")
    (linker,) = (root / "usr" / "lib").glob("*/ld-linux-*.so*")
    words = f"{linker} --library-path {linker.parent} {root / 'usr/bin/wasmedge'}"
    (folder / "wasmedge").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (folder / "wasmedge").chmod(0o755)
    (folder / "cosign").symlink_to(root / "usr" / "bin" / "cosign")
    return folder


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gguf_files.write(tmp_path_factory.mktemp("model") / "chat.gguf", "Q8_0")


@pytest.fixture(scope="module", params=["1", "2"], ids=["containerd-1", "containerd-2"])
def desk(
    lab: Lab,
    programs: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
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
        yield Desk(other, folder, programs)
    finally:
        other.command("down")


def pushed(desk: Desk, model: Path, reference: str, *more: str) -> str:
    """An image of the model in the lab's registry; its name with its digest."""
    desk.here("image", "build", model, "-t", reference, *more)
    said = desk.in_lab("image", "push", reference, "--plain-http")
    name: str = said.split()[-1]
    assert "@sha256:" in name
    return name


def answered(desk: Desk, name: str) -> None:
    """The digit of the demonstration is read."""
    body = (DEMO / "digit.json").read_text()
    answer = desk.ask(name, "/v2/models/digits/infer", body)
    outputs = {each["name"]: each["data"] for each in answer["outputs"]}
    assert outputs["digit"] == [3]
    assert outputs["probabilities"][3] == pytest.approx(0.99995255, abs=1e-5)


def test_an_onnx_model_is_signed_verified_pulled_and_answers(desk: Desk) -> None:
    reference = f"{REGISTRY}/team/digits:1"
    named = pushed(desk, DEMO / "digits.onnx", reference)
    subprocess.run(
        [desk.programs / "cosign", "generate-key-pair"],
        cwd=desk.folder,
        env={**os.environ, "COSIGN_PASSWORD": "x"},
        capture_output=True,
        check=True,
    )
    flags = ("--plain-http", "--no-log")
    desk.in_lab("image", "sign", named, "--key", desk.folder / "cosign.key", *flags)
    desk.in_lab("image", "verify", named, "--key", desk.folder / "cosign.pub", *flags)

    desk.deploy("digits", named)

    answered(desk, "digits")
    assert '"execution":"interpreted"' in desk.log("digits")
    events = desk.lab.kubectl("get", "events", "-n", NAMESPACE).stdout
    assert f'Successfully pulled image "{named}"' in events


def test_a_llama_model_with_a_compiled_engine_says_what_it_says_here(
    desk: Desk, chat: Path
) -> None:
    desk.deploy("chat", pushed(desk, chat, f"{REGISTRY}/team/chat:1", "--aot"))

    (desk.folder / "request.json").write_text(json.dumps(GREEDY))
    there = desk.ask("chat", "/v1/completions", json.dumps(GREEDY))
    for runtime in ("wasmtime", "wasmedge"):
        words = ("run", chat, "--input", desk.folder / "request.json", "--runtime", runtime)
        assert json.loads(desk.here(*words))["choices"] == there["choices"]
    assert there["usage"]["completion_tokens"] == 16
    assert '"execution":"compiled"' in desk.log("chat")


def test_a_saved_image_is_imported_by_a_node_without_a_registry(desk: Desk) -> None:
    reference = f"{REGISTRY}/team/imported:1"
    tar = desk.folder / "imported.tar"
    desk.here("image", "build", DEMO / "digits.onnx", "-t", reference)
    desk.here("image", "save", reference, "-o", tar)
    assert desk.lab.command("load", str(tar)).stdout.split() == [reference]

    desk.deploy("imported", reference, "--image-pull-policy", "Never")

    answered(desk, "imported")
