"""Writes kubectl_wasmai/demo/digits.onnx and digit.json: a real model of a few kilobytes.

A network of one hidden layer, trained on the handwritten digits of the UCI repository (Alpaydin
and Kaynak, 1998; CC BY 4.0), which scikit-learn ships. Run by hand, in an environment of its own:
``pip install numpy onnx scikit-learn``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

DEMO = Path(__file__).parents[2] / "kubectl_wasmai" / "demo"
HIDDEN = 16
TESTED = 360
"""Images kept from training: the last ones, by other writers."""
SHOWN = 1
"""Which of them the request holds."""


def main() -> None:
    """Train, write, and say how good it is."""
    digits = load_digits()
    images, labels = digits.data.astype(np.float32) / 16, digits.target
    trained = MLPClassifier((HIDDEN,), alpha=1e-2, max_iter=2000, random_state=0)
    trained.fit(images[:-TESTED], labels[:-TESTED])
    score = trained.score(images[-TESTED:], labels[-TESTED:])
    (DEMO / "digits.onnx").write_bytes(as_onnx(trained).SerializeToString(deterministic=True))
    image, label = images[-TESTED:][SHOWN], labels[-TESTED:][SHOWN]
    (DEMO / "digit.json").write_text(request(image) + "\n")
    print(f"{score:.1%} of {TESTED} unseen images; the request shows a {label}")  # noqa: T201


def as_onnx(trained: MLPClassifier) -> Any:
    """``image[batch,8,8]`` to ``digit[batch]`` and ``probabilities[batch,10]``."""
    weights = [
        numpy_helper.from_array(values.astype(np.float32), f"{kind}{number}")
        for kind, layers in (("w", trained.coefs_), ("b", trained.intercepts_))
        for number, values in enumerate(layers)
    ]
    nodes = [
        helper.make_node("Flatten", ["image"], ["pixels"]),
        helper.make_node("Gemm", ["pixels", "w0", "b0"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w1", "b1"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["digit"], axis=1, keepdims=0),
    ]
    ports = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("image", TensorProto.FLOAT, ["batch", 8, 8]),
            ("digit", TensorProto.INT64, ["batch"]),
            ("probabilities", TensorProto.FLOAT, ["batch", 10]),
        )
    ]
    graph = helper.make_graph(nodes, "digits", ports[:1], ports[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="digits")
    onnx.checker.check_model(model)
    return model


def request(image: Any) -> str:
    """The request of the Open Inference Protocol, a row of the image on each line."""
    rows = [", ".join(f"{value:g}" for value in row) for row in image.reshape(8, 8)]
    data = ",\n ".join(rows)
    port = json.dumps({"name": "image", "shape": [1, 8, 8], "datatype": "FP32"})[:-1]
    return f'{{"inputs": [{port}, "data": [\n {data}]}}]}}'


if __name__ == "__main__":
    main()
