"""The engine's own convolutions beside onnxruntime's, in small models made for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, save
from wasmengine.onnx_answers import assert_close, outputs, request
from wasmengine.running import Engine, module

if TYPE_CHECKING:
    from pathlib import Path

    from wasmengine.running import Server

# (input channels, output channels, window), attributes of Conv, length of the input's sides
CONVOLUTIONS: dict[str, tuple[tuple[int, int, list[int]], dict[str, Any], list[int]]] = {
    "point": ((5, 7, [1, 1]), {}, [6, 9]),
    "three-by-three": ((16, 20, [3, 3]), {"pads": [1, 1, 1, 1]}, [13, 18]),
    "strides": ((3, 8, [3, 3]), {"strides": [2, 2], "pads": [1, 1, 1, 1]}, [21, 22]),
    "dilations": ((4, 6, [3, 3]), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}, [11, 14]),
    "uneven-borders": ((4, 6, [2, 3]), {"pads": [1, 0, 0, 2]}, [7, 9]),
    "same-upper": ((4, 6, [4, 4]), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, [9, 10]),
    "groups": ((8, 12, [3, 3]), {"group": 4, "pads": [1, 1, 1, 1]}, [8, 8]),
    "depthwise": ((9, 9, [5, 5]), {"group": 9, "pads": [2, 2, 2, 2]}, [12, 17]),
    "depthwise-strides": ((9, 9, [3, 3]), {"group": 9, "strides": [2, 1]}, [12, 17]),
    "one-dimension": ((16, 17, [5]), {"pads": [2, 2]}, [41]),
    "one-dimension-strides": ((3, 4, [3]), {"strides": [2]}, [40]),
    "upright": ((16, 17, [5, 1]), {}, [41, 1]),
    "three-dimensions-are-left-to-tract": ((2, 3, [2, 2, 2]), {}, [4, 5, 6]),
}


def made(path: Path, name: str, successors: list[str]) -> None:
    """A model of one convolution and what follows it; the batch and the sides are free."""
    (inputs, channels, window), attributes, _ = CONVOLUTIONS[name]
    random = np.random.default_rng(7)
    group = attributes.get("group", 1)

    def constant(key: str, shape: list[int], scale: float = 1.0) -> Any:
        values = random.normal(scale=scale, size=shape)
        return numpy_helper.from_array(values.astype(np.float32), key)

    filters = [channels, inputs // group, *window]
    wide = [1, channels] + [1] * len(window)
    # As large as training leaves them: outputs about as large as inputs.
    usual = float(np.prod(filters[1:])) ** -0.5
    constants = [constant("weights", filters, usual), constant("b", [channels])]
    constants += [constant("factor", wide), constant("offset", wide)]
    statistics = ["scale", "shift", "mean"]
    constants += [constant(key, [channels]) for key in statistics]
    constants.append(numpy_helper.from_array(np.full([channels], 0.5, np.float32), "variance"))
    nodes = [helper.make_node("Conv", ["x", "weights", "b"], ["y0"], **attributes)]
    for number, successor in enumerate(successors):
        if successor == "Silu":
            nodes.append(helper.make_node("Sigmoid", [f"y{number}"], [f"gate{number}"]))
            nodes.append(
                helper.make_node("Mul", [f"y{number}", f"gate{number}"], [f"y{number + 1}"])
            )
            continue
        more = {
            "Add": ["offset"], "Sub": ["offset"], "Mul": ["factor"], "Div": ["factor"],
            "BatchNormalization": [*statistics, "variance"],
        }.get(successor, [])  # fmt: skip
        nodes.append(helper.make_node(successor, [f"y{number}", *more], [f"y{number + 1}"]))
    sides = [f"side{axis}" if axis != 1 or name != "upright" else 1 for axis in range(len(window))]
    kind = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", kind, ["n", inputs, *sides])],
        [helper.make_tensor_value_info(f"y{len(successors)}", kind, None)],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    save(helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))


FOLLOWED = {
    "alone": [],
    "batch-norm-and-relu": ["BatchNormalization", "Relu"],
    "silu": ["Add", "Silu"],
    "hard-swish": ["Mul", "HardSwish", "Add"],
    "each-operation": ["Add", "Mul", "Sub", "Div", "Relu", "Mul"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("convolutions")
    for name in CONVOLUTIONS:
        for follow, successors in FOLLOWED.items():
            made(folder / f"{name}.{follow}.onnx", name, successors)
    engine = Engine(module("onnx"), folder)
    models = [f"{path.stem}=/{path.name}" for path in folder.iterdir()]
    running = engine.serve(*(word for each in models for word in ("--model", each)))
    yield running, folder
    engine.stop()


@pytest.mark.parametrize("follow", FOLLOWED)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_gives_what_onnxruntime_gives(
    server: tuple[Server, Path], name: str, follow: str
) -> None:
    running, folder = server
    (inputs, _, _), _, sides = CONVOLUTIONS[name]
    session = onnxruntime.InferenceSession(str(folder / f"{name}.{follow}.onnx"))
    for images in (1, 3):
        x = np.random.default_rng(images).normal(size=[images, inputs, *sides]).astype(np.float32)
        (wanted,) = session.run(None, {"x": x})
        status, answer = running.post(f"/v2/models/{name}.{follow}/infer", request({"x": x}))
        assert status == 200, answer
        assert_close(outputs(answer), {session.get_outputs()[0].name: wanted})


def test_an_input_smaller_than_the_window_is_refused(server: tuple[Server, Path]) -> None:
    running, _ = server
    x = np.zeros([1, 9, 1, 1], np.float32)
    status, answer = running.post("/v2/models/depthwise-strides.alone/infer", request({"x": x}))
    assert status == 400
    assert "window is larger than its input" in answer["error"]
    assert running.get("/v2/health/ready")[0] == 200


def test_shapes_that_come_again_and_again_get_a_plan_of_their_own(tmp_path: Path) -> None:
    made(tmp_path / "m.onnx", "three-by-three", ["Relu"])
    engine = Engine(module("onnx"), tmp_path)
    running = engine.serve("--model", "/m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    made_plans = []
    try:
        for number in range(12):
            sides = [7, 9] if number != 10 else [8, 8]
            x = np.random.default_rng(number).normal(size=[1, 16, *sides]).astype(np.float32)
            (wanted,) = session.run(None, {"x": x})
            _, answer = running.post("/v2/models/m/infer", request({"x": x}))
            assert_close(outputs(answer), {"y1": wanted})
            for line in running.process.stderr or ():
                event = json.loads(line)
                if event["event"] == "plan made":
                    made_plans.append((number, event["shapes"]))
                if event["event"] == "request":
                    break
    finally:
        engine.stop()
    assert made_plans == [(7, [[1, 16, 7, 9]])]
