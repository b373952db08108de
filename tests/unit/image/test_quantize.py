"""Quantizing with onnxruntime, and what it changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.model import read_model
from kubectl_wasmai.image.oci import digest_of
from kubectl_wasmai.image.quantize import compare, quantize_int8

if TYPE_CHECKING:
    from pathlib import Path

numpy = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A layer with weights that eight bits cannot hold exactly."""
    helper, numbers = onnx.helper, numpy.random.default_rng(1)
    weight = onnx.numpy_helper.from_array(numbers.normal(size=(64, 10)).astype("float32"), "weight")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"])],
        "layer",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 10])],
        [weight],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(
        helper.make_model(graph, opset_imports=[opset], ir_version=8), str(tmp_path / "m.onnx")
    )
    return tmp_path / "m.onnx"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    values = numpy.random.default_rng(2).normal(size=(50, 64)).astype("float32")
    numpy.savez(tmp_path / "x.npz", x=values)
    return tmp_path / "x.npz"


def test_weights_become_a_quarter_and_the_answers_stay_close(
    model: Path, sample: Path, tmp_path: Path
) -> None:
    quantize_int8(model, tmp_path / "small.onnx")
    (change,) = compare(model, tmp_path / "small.onnx", sample)

    before, after = read_model(model), read_model(tmp_path / "small.onnx")
    assert before.card["weights"]["float32"] == 64 * 10 * 4
    assert after.card["weights"]["int8"] >= 64 * 10
    assert (before.card["quantized"], after.card["quantized"]) == (False, True)
    assert change.output == "y"
    assert 0 < change.largest_difference < 0.1 * change.largest_value
    assert change.same_choice > 0.9


def test_quantizing_twice_gives_the_same_file(model: Path, tmp_path: Path) -> None:
    digests = set()
    for name in ("a.onnx", "b.onnx"):
        quantize_int8(model, tmp_path / name)
        digests.add(digest_of((tmp_path / name).read_bytes()))
    assert len(digests) == 1


def test_a_model_equals_itself_on_a_request_of_the_inference_protocol(
    model: Path, tmp_path: Path
) -> None:
    tensor: dict[str, Any] = {"name": "x", "shape": [2, 64], "datatype": "FP32"}
    (tmp_path / "x.json").write_text(json.dumps({"inputs": [{**tensor, "data": [0.5] * 128}]}))
    (change,) = compare(model, model, tmp_path / "x.json")

    assert (change.largest_difference, change.same_choice) == (0.0, 1.0)


@pytest.mark.parametrize("content", ["{}", "[]", '{"inputs": [{"name": "x"}]}', "no json"])
def test_a_sample_that_is_none_is_refused(model: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match="cannot read the sample"):
        compare(model, model, tmp_path / "x.json")


def test_a_sample_that_does_not_fit_is_refused(model: Path, tmp_path: Path) -> None:
    numpy.savez(tmp_path / "x.npz", x=numpy.zeros((1, 3), "float32"))
    with pytest.raises(InputError, match="does not run on the sample"):
        compare(model, model, tmp_path / "x.npz")


def test_what_the_tool_cannot_quantize_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="cannot quantize"):
        quantize_int8(tmp_path / "x.onnx", tmp_path / "y.onnx")
