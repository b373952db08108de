"""What onnxruntime makes of a model, and how near another's answer must come to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime

from .onnx_models import Real, fetch

Tensors = dict[str, np.ndarray[Any, Any]]
LARGEST_DIFFERENCE = 1e-4
NAMES = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}


def inputs_for(model: Real) -> Tensors:
    random = np.random.default_rng(3)
    session = onnxruntime.InferenceSession(str(fetch(model)))
    inputs: Tensors = {}
    for port in session.get_inputs():
        shape = model.shapes[port.name]
        if port.type == "tensor(int32)":
            inputs[port.name] = random.integers(0, 256, shape, dtype=np.int32)
        else:
            inputs[port.name] = random.random(shape, dtype=np.float32)
    return inputs


def expected(model: Real, inputs: Tensors) -> Tensors:
    session = onnxruntime.InferenceSession(str(fetch(model)))
    names = [port.name for port in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def request(inputs: Tensors, *, nested: bool = False) -> dict[str, Any]:
    return {
        "inputs": [
            {
                "name": name,
                "shape": list(value.shape),
                "datatype": NAMES[str(value.dtype)],
                "data": value.tolist() if nested else value.ravel().tolist(),
            }
            for name, value in inputs.items()
        ]
    }


def outputs(answer: dict[str, Any]) -> Tensors:
    return {
        each["name"]: np.array(each["data"]).reshape(each["shape"]) for each in answer["outputs"]
    }


def assert_close(found: Tensors, wanted: Tensors) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name].shape == value.shape
        # Absolute for values up to one, relative for larger ones (pixels of boxes).
        scale = np.maximum(np.abs(value), 1.0)
        assert float(np.max(np.abs(found[name] - value) / scale)) < LARGEST_DIFFERENCE
