"""Seven models, as different as PyPI and llama.cpp's quantisations have them: each from its file to
a right answer through a Service, with the engine compiled ahead of time, signed and verified."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from desk import Desk, open_desk
from wasmengine import gguf_files
from wasmengine.onnx_answers import assert_close, expected, inputs_for, outputs, request
from wasmengine.onnx_models import MODELS, Real, fetch
from wasmlab.node_config import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.client import Lab

pytestmark = pytest.mark.e2e

CHOSEN = [each for each in MODELS if each.name not in ("silero-sequence", "ocr-det")]
"""Files, sound, letters, numbers in pictures, pictures: two of PyPI's seven are much like these."""
GREEDY = {"prompt": "hello world", "temperature": 0, "max_tokens": 16}


@pytest.fixture(scope="module")
def desk(lab: Lab, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(lab, tmp_path_factory.mktemp("models"), programs, "1") as opened:
        yield opened


def deployed(desk: Desk, name: str, model: Path) -> None:
    named = desk.pushed(model, f"{REGISTRY}/models/{name}:1", "--name", name, "--aot")
    desk.sign_and_verify(named)
    desk.deploy(name, named)
    assert '"execution":"compiled"' in desk.log(name)


@pytest.mark.parametrize("model", CHOSEN, ids=lambda model: model.name)
def test_a_model_of_pypi_answers_in_a_pod_as_onnxruntime_does(desk: Desk, model: Real) -> None:
    inputs = inputs_for(model)

    deployed(desk, model.name, fetch(model))

    path = f"/v2/models/{model.name}/infer"
    answer = desk.ask(model.name, path, json.dumps(request(inputs)))
    assert_close(outputs(answer), expected(model, inputs))


@pytest.mark.parametrize("quant", ["F32", "Q4_K"])
def test_a_llama_model_says_in_a_pod_what_it_says_here(
    desk: Desk, quant: str, tmp_path: Path
) -> None:
    name = quant.lower().replace("_", "")
    model = gguf_files.write(tmp_path / f"{name}.gguf", quant)
    (tmp_path / "request.json").write_text(json.dumps(GREEDY))

    deployed(desk, name, model)

    there = desk.ask(name, "/v1/completions", json.dumps(GREEDY))
    here = json.loads(desk.here("run", model, "--input", tmp_path / "request.json"))
    assert there["choices"] == here["choices"]
