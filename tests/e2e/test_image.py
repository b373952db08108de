"""From a model file to an answer through a Service, by our own commands alone.

Built with the engine that ships, pushed to the lab's registry, signed by the real cosign, pulled by
containerd of both generations, run by crun with WasmEdge: interpreted, and compiled ahead of time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from desk import NAMESPACE, Desk, open_desk
from wasmengine import gguf_files
from wasmlab.node_config import REGISTRY

from kubectl_wasmai import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasmlab.client import Lab

pytestmark = pytest.mark.e2e

DEMO = Path(demo.__file__).parent
GREEDY = {"prompt": "hello world", "temperature": 0, "max_tokens": 16}


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
    with open_desk(lab, tmp_path_factory.mktemp("image"), programs, request.param) as opened:
        yield opened


def answered(desk: Desk, name: str) -> None:
    """The digit of the demonstration is read."""
    body = (DEMO / "digit.json").read_text()
    answer = desk.ask(name, "/v2/models/digits/infer", body)
    outputs = {each["name"]: each["data"] for each in answer["outputs"]}
    assert outputs["digit"] == [3]
    assert outputs["probabilities"][3] == pytest.approx(0.99995255, abs=1e-5)


def test_an_onnx_model_is_signed_verified_pulled_and_answers(desk: Desk) -> None:
    reference = f"{REGISTRY}/team/digits:1"
    named = desk.pushed(DEMO / "digits.onnx", reference)
    desk.sign_and_verify(named)

    desk.deploy("digits", named)

    answered(desk, "digits")
    assert '"execution":"interpreted"' in desk.log("digits")
    events = desk.lab.kubectl("get", "events", "-n", NAMESPACE).stdout
    assert f'Successfully pulled image "{named}"' in events


def test_a_llama_model_with_a_compiled_engine_says_what_it_says_here(
    desk: Desk, chat: Path
) -> None:
    desk.deploy("chat", desk.pushed(chat, f"{REGISTRY}/team/chat:1", "--aot"))

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
