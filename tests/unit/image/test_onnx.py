"""Reading ONNX: what is in it, what is wrong with it, and at what cost."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING, Any

import onnx_builders as build
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubectl_wasmai.image import onnx
from kubectl_wasmai.image.binary import Corrupt
from kubectl_wasmai.image.onnx import DEEPEST_GRAPH, OnnxModel, Tensor, read_onnx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read(data: bytes) -> OnnxModel:
    return read_onnx(io.BytesIO(data), len(data))


def test_inputs_outputs_operators_and_weights_are_told() -> None:
    found = read(build.small_model())

    assert found.inputs == [Tensor("x", "float32", ("batch", 3))]
    assert found.outputs == [Tensor("y", "float32", ("batch", 3))]
    assert found.operators == {"Mul": 1}
    assert (found.parameters, found.weight_bytes) == (6, {"float32": 24})
    assert (found.ir_version, found.opsets, found.producer) == (8, {"ai.onnx": 17}, "hand")


def test_weights_listed_as_inputs_are_no_inputs() -> None:
    graph = build.graph(
        (1, build.node("Mul")),
        (11, build.value("x")),
        (11, build.value("w")),
        (12, build.value("y")),
        (5, build.tensor("w", [1], raw=bytes(4))),
    )

    assert [each.name for each in read(build.model(graph, ir=3)).inputs] == ["x"]


def test_a_shape_may_be_unknown_and_a_dimension_too() -> None:
    graph = build.graph(
        (1, build.node("Identity")),
        (11, build.value("a", shape=None)),
        (11, build.value("b", 7, shape=["", 4])),
        (12, build.value("c", shape=[])),
    )
    found = read(build.model(graph))

    assert found.inputs == [Tensor("a", "float32", None), Tensor("b", "int64", ("?", 4))]
    assert found.outputs == [Tensor("c", "float32", ())]


def test_operators_of_branches_and_other_domains_are_counted() -> None:
    branch = build.graph((1, build.node("Relu")), (1, build.node("Fused", domain="com.example")))
    attribute = build.message((1, "then_branch"), (6, branch), (20, 5))
    graph = build.graph((1, build.node("If", attribute)), (12, build.value("y")))

    assert read(build.model(graph)).operators == {"If": 1, "Relu": 1, "com.example.Fused": 1}


def test_operators_that_the_model_defines_itself_are_replaced_by_their_parts() -> None:
    function = build.message((1, "Swish"), (7, build.node("Sigmoid")), (10, "own"))
    graph = build.graph((1, build.node("Swish", domain="own")), (12, build.value("y")))

    assert read(build.model(graph, extra=[(25, function)])).operators == {"Sigmoid": 1}


def test_files_with_weights_are_named() -> None:
    found = read(build.small_model(external="weights.bin"))

    assert found.external_files == {"weights.bin"}


def test_packed_and_single_dimensions_are_the_same() -> None:
    packed = build.message((1, build.varint(2) + build.varint(3)), (2, 1), (8, "w"))
    graph = build.graph((1, build.node("Mul")), (5, packed), (12, build.value("y")))

    assert read(build.model(graph)).parameters == 6


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 graphs"),
        (b"\0\0", "field 0"),
        (build.small_model()[:-3], "are left"),
        (build.message((7, 5)), "a number where a message belongs"),
        (build.message((1, b"x"), (7, b"")), "where a number belongs"),
        (build.model(build.graph((1, build.node("Mul")))), "no output"),
        (build.small_model() * 2, "2 graphs"),
        (build.varint(7 << 3 | 3), "wire type 3"),
        (b"\x08" + b"\xff" * 11, "endless"),
        (build.model(build.graph((5, build.tensor("w", [-1])))), "negative"),
        (build.model(build.graph((5, build.tensor("w", [1] * 65)))), "dimensions"),
        (build.model(build.graph((1, build.message((4, b"x" * 70_000))))), "a text of 70000"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(Corrupt, match=words):
        read(data)


def test_graphs_in_graphs_in_graphs_end_somewhere() -> None:
    graph = build.graph((1, build.node("Relu")))
    for _ in range(DEEPEST_GRAPH + 2):
        graph = build.graph((1, build.node("If", build.message((6, graph)))))

    with pytest.raises(Corrupt, match="nest too deeply"):
        read(build.model(graph))


def test_a_model_of_names_alone_costs_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "MOST_KEPT", 1 << 20)
    data = b"".join(build.message((5, build.tensor(f"{n:07}", [1]))) for n in range(20_000))
    data = build.model(data)
    tracemalloc.start()
    with pytest.raises(Corrupt, match="too many names"):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3 << 20


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(build.small_model())
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Corrupt):
        read(data)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_model_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(build.small_model())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Corrupt):
        read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


dimension = st.one_of(st.integers(0, 1 << 40), st.text("abc", min_size=1, max_size=5))
shapes = st.one_of(st.none(), st.lists(dimension, max_size=5))
names = st.text(min_size=1, max_size=20)


@settings(deadline=None)
@given(
    st.lists(st.tuples(names, st.integers(1, 16), shapes), max_size=5, unique_by=lambda x: x[0]),
    st.lists(st.sampled_from(["Conv", "Relu", "MatMul"]), max_size=10),
)
def test_what_is_written_is_read(inputs: list[tuple[str, int, Any]], operators: list[str]) -> None:
    graph = build.graph(
        *((1, build.node(each)) for each in operators),
        *((11, build.value(*each)) for each in inputs),
        (12, build.value("y")),
    )
    found = read(build.model(graph))

    assert [each.name for each in found.inputs] == [name for name, _, _ in inputs]
    assert [each.shape for each in found.inputs] == [
        None if shape is None else tuple(shape) for _, _, shape in inputs
    ]
    assert found.operators == Counter(operators)


@pytest.fixture
def peers_model(tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """A model that the onnx package has written, with its own view of it."""
    peer, numpy = pytest.importorskip("onnx"), pytest.importorskip("numpy")
    helper = peer.helper

    def write(**settings: Any) -> tuple[Path, Any]:
        weight = peer.numpy_helper.from_array(numpy.zeros((64, 32), "float32"), "weight")
        graph = helper.make_graph(
            [
                helper.make_node("Gemm", ["x", "weight"], ["h"]),
                helper.make_node("Softmax", ["h"], ["y"], axis=-1),
            ],
            "peer",
            [helper.make_tensor_value_info("x", peer.TensorProto.FLOAT, ["n", 64])],
            [helper.make_tensor_value_info("y", peer.TensorProto.FLOAT, ["n", 32])],
            [weight],
        )
        whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        peer.save(whole, str(tmp_path / "peer.onnx"), **settings)
        return tmp_path / "peer.onnx", whole

    return write


def test_a_model_of_the_onnx_package_is_read_as_it_reads_it(
    peers_model: Callable[..., tuple[Path, Any]],
) -> None:
    path, whole = peers_model()
    found = read(path.read_bytes())

    assert found.ir_version == whole.ir_version
    assert found.operators == {"Gemm": 1, "Softmax": 1}
    assert found.inputs == [Tensor("x", "float32", ("n", 64))]
    assert (found.parameters, found.weight_bytes) == (64 * 32, {"float32": 64 * 32 * 4})


def test_external_data_of_the_onnx_package_is_found(
    peers_model: Callable[..., tuple[Path, Any]],
) -> None:
    path, _ = peers_model(save_as_external_data=True, location="peer.bin", size_threshold=0)

    assert read(path.read_bytes()).external_files == {"peer.bin"}
