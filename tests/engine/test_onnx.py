"""ONNX by the Open Inference Protocol: the same outputs as onnxruntime, on real models."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from wasmengine.onnx_answers import assert_close, expected, inputs_for, outputs, request
from wasmengine.onnx_models import MODELS, Real, fetch
from wasmengine.running import Engine, Server, module

from kubectl_wasmai import engine as shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def onnx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All the models behind one server."""
    folder = tmp_path_factory.mktemp("onnx")
    arguments = []
    for model in MODELS:
        (folder / f"{model.name}.onnx").write_bytes(fetch(model).read_bytes())
        arguments += ["--model", f"/{model.name}.onnx"]
    engine = Engine(module("onnx"), folder)
    yield engine.serve(*arguments)
    engine.stop()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_outputs_are_those_of_onnxruntime(onnx_server: Server, model: Real) -> None:
    inputs = inputs_for(model)
    status, answer = onnx_server.post(f"/v2/models/{model.name}/infer", request(inputs))
    assert status == 200, answer
    assert answer["model_name"] == model.name
    assert_close(outputs(answer), expected(model, inputs))


def test_nested_json_and_bytes_say_the_same(onnx_server: Server) -> None:
    model = MODELS[1]
    inputs = inputs_for(model)
    path = f"/v2/models/{model.name}/infer"
    _, plain = onnx_server.post(path, request(inputs))
    _, nested = onnx_server.post(path, request(inputs, nested=True))
    assert nested == plain

    body = request(inputs)
    binary = b""
    for each in body["inputs"]:
        raw = inputs[each["name"]].tobytes()
        del each["data"]
        each["parameters"] = {"binary_data_size": len(raw)}
        binary += raw
    body["parameters"] = {"binary_data_output": True}
    head = json.dumps(body).encode()
    connection = onnx_server.connection()
    connection.request(
        "POST", path, head + binary, {"Inference-Header-Content-Length": str(len(head))}
    )
    answer = connection.getresponse()
    length = int(answer.getheader("Inference-Header-Content-Length") or 0)
    raw = answer.read()
    connection.close()
    document, rest = json.loads(raw[:length]), raw[length:]
    for described, wanted in zip(document["outputs"], plain["outputs"], strict=True):
        size = described["parameters"]["binary_data_size"]
        values = struct.unpack(f"<{size // 4}f", rest[:size])
        rest = rest[size:]
        assert np.float32(wanted["data"]).tolist() == list(values)
    assert not rest


def test_a_model_tells_its_inputs_and_that_it_is_ready(onnx_server: Server) -> None:
    status, body = onnx_server.get("/v2/models/silero")
    description = json.loads(body)
    assert status == 200
    assert description["inputs"][0] == {"name": "input", "datatype": "FP32", "shape": [1, 576]}
    assert onnx_server.get("/v2/models/silero/ready")[0] == 200
    assert onnx_server.get("/v2/models/nothing/ready")[0] == 404
    assert json.loads(onnx_server.get("/v2")[1])["extensions"] == ["binary_tensor_data"]


def test_some_outputs_may_be_chosen(onnx_server: Server) -> None:
    body = request(inputs_for(MODELS[1])) | {"id": "7", "outputs": [{"name": "stateN"}]}
    status, answer = onnx_server.post("/v2/models/silero/infer", body)
    assert status == 200
    assert answer["id"] == "7"
    assert [each["name"] for each in answer["outputs"]] == ["stateN"]


GOOD = {"name": "input", "shape": [1, 576], "datatype": "FP32", "data": [0] * 576}
STATE = {"name": "state", "shape": [2, 1, 128], "datatype": "FP32", "data": [0] * 256}


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ([GOOD], "state (FP32) is missing"),
        ([GOOD, GOOD, STATE], "given twice"),
        ([GOOD | {"name": "x"}, STATE], "no input x; it has input, state"),
        ([GOOD | {"datatype": "INT8"}, STATE], "is FP32, not INT8"),
        ([GOOD | {"shape": [1, 577]}, STATE], "has the shape [1,576]"),
        ([GOOD | {"shape": [576]}, STATE], "has the shape [1,576]"),
        ([GOOD | {"data": [0] * 575}, STATE], "does not suit 575 values"),
        ([GOOD | {"data": ["a"] * 576}, STATE], "data is no FP32"),
        ([GOOD | {"data": [[[[0]]]] * 576, "shape": [-1]}, STATE], "no inference request"),
        ([GOOD | {"parameters": {"binary_data_size": 9}}, STATE], "either data or"),
    ],
)
def test_wrong_requests_are_explained(
    onnx_server: Server, inputs: list[dict[str, Any]], word: str
) -> None:
    status, answer = onnx_server.post("/v2/models/silero/infer", {"inputs": inputs})
    assert status == 400
    assert word in answer["error"]


def test_a_free_dimension_takes_any_length(onnx_server: Server) -> None:
    model = next(each for each in MODELS if each.name == "ocr-rec")
    for width in (96, 224):
        wider = Real(model.name, model.package, model.member, {"x": [1, 3, 48, width]})
        inputs = inputs_for(wider)
        status, answer = onnx_server.post("/v2/models/ocr-rec/infer", request(inputs))
        assert status == 200, answer
        assert_close(outputs(answer), expected(wider, inputs))


def test_one_shot_answers_on_standard_output(tmp_path: Path) -> None:
    model = MODELS[1]
    (tmp_path / "silero.onnx").write_bytes(fetch(model).read_bytes())
    inputs = inputs_for(model)
    answer = Engine(module("onnx"), tmp_path).infer(request(inputs), "--model", "/silero.onnx")
    assert_close(outputs(answer), expected(model, inputs))


def test_damaged_models_end_in_a_message(tmp_path: Path) -> None:
    whole = fetch(MODELS[1]).read_bytes()
    engine = Engine(module("onnx"), tmp_path)
    for name, content in [
        ("empty", b""),
        ("text", b"hello world" * 100),
        ("half", whole[: len(whole) // 2]),
        ("short", whole[:-1000]),
        ("spoilt", whole[:600] + b"\xff" * 8 + whole[608:]),
    ]:
        (tmp_path / f"{name}.onnx").write_bytes(content)
        done = engine.run("--model", f"/{name}.onnx", "--infer", "-", stdin="{}")
        assert done.returncode == 1, (name, done.stderr)
        assert json.loads(done.stderr.splitlines()[-1])["level"] == "error" or done.stdout, name


def test_the_list_of_operators_is_the_engines_own(tmp_path: Path) -> None:
    done = Engine(module("onnx"), tmp_path).run("--operators")
    listed = json.loads(done.stdout)["operators"]
    assert shipped.operators() == frozenset(listed)
    assert {"Conv", "MatMul", "LSTM", "Softmax"} <= shipped.operators()
    assert "SequenceAt" not in shipped.operators()


def test_operators_that_cannot_run_are_named(tmp_path: Path) -> None:
    whole = fetch(MODELS[1]).read_bytes()
    # An operator of the same length that does not exist.
    assert b"Sigmoid" in whole
    (tmp_path / "x.onnx").write_bytes(whole.replace(b"\x22\x07Sigmoid", b"\x22\x07Frobnix"))
    engine = Engine(module("onnx"), tmp_path)
    described = json.loads(engine.run("--model", "/x.onnx", "--inspect").stdout)
    assert described[0]["unsupportedOperators"] == ["Frobnix"]
    done = engine.run("--model", "/x.onnx", "--infer", "-", stdin="{}")
    assert done.returncode == 1
    assert "cannot run here: Frobnix" in done.stderr
