"""The structure of an ONNX model: inputs, outputs, operators, weights by size.

Source: ``onnx/onnx.proto3`` of the ONNX project, whose field numbers these are. Weights are
passed over, never read, so size does not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import BinaryIO

from kubectl_wasmai.image import onnx_fields as at
from kubectl_wasmai.image.binary import Corrupt, Window, window
from kubectl_wasmai.image.protobuf import Budget, fields, signed

MOST_FIELDS = 10_000_000
MOST_KEPT = 16 << 20
"""Bytes of names in memory: some 100,000 weights, more than the largest models have."""
DEEPEST_GRAPH = 32
"""Graphs nest in If, Loop and Scan; real ones a few levels."""
MOST_DIMENSIONS = 64

# TensorProto.DataType, with numpy's names; and bits per element.
DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "string", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz",
    19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1",
    24: "float8e8m0", 25: "uint2", 26: "int2",
}  # fmt: skip
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64,
    14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip

Shape = tuple["int | str", ...]


@dataclass(frozen=True)
class Tensor:
    """An input or output. A dimension is a size, a name such as ``batch``, or ``?``.

    ``shape`` is None where the model does not say even the number of dimensions, and ``dtype``
    is the kind (``sequence``, ``map``, ``optional``) where it is no tensor at all.
    """

    name: str
    dtype: str
    shape: Shape | None


@dataclass
class OnnxModel:
    """What a model says about itself. Sizes are in bytes."""

    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    """Version by domain; the standard domain is ``ai.onnx``."""
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    operators: dict[str, int] = field(default_factory=dict)
    """How often each is used, subgraphs included; other domains are spelled ``domain.Op``."""
    parameters: int = 0
    weight_bytes: dict[str, int] = field(default_factory=dict)
    """By dtype, wherever the weights are stored."""
    external_files: set[str] = field(default_factory=set)
    """Files beside the model that hold weights, as the model spells them."""
    functions: set[str] = field(default_factory=set)
    """Operators that the model itself defines out of others."""


def read_onnx(file: BinaryIO, size: int) -> OnnxModel:
    """Read the structure of the model in ``file``. Raises Corrupt, also for other formats."""
    model = OnnxModel()
    reader = _Reader(model, Budget(MOST_FIELDS, MOST_KEPT))
    graphs = 0
    for number, value in fields(window(file, size), reader.budget):
        if number == at.Model.GRAPH:
            graphs += 1
            reader.graph(_window(value), depth=0)
        else:
            reader.model_field(number, value)
    if graphs != 1:
        raise Corrupt(f"it holds {graphs} graphs where a model has one")
    if not model.outputs:
        raise Corrupt("its graph has no output")
    for name in model.functions:
        model.operators.pop(name, None)
    return model


class _Reader:
    """One pass over a model."""

    def __init__(self, model: OnnxModel, budget: Budget) -> None:
        self.model = model
        self.budget = budget

    def model_field(self, number: int, value: int | Window) -> None:
        if number == at.Model.IR_VERSION:
            self.model.ir_version = _number(value)
        elif number in (at.Model.PRODUCER_NAME, at.Model.PRODUCER_VERSION):
            self.model.producer = f"{self.model.producer} {self.budget.keep(_text(value))}".strip()
        elif number == at.Model.OPSET_IMPORT:
            domain, version = "", 0
            for inner, what in fields(_window(value), self.budget):
                if inner == at.Opset.DOMAIN:
                    domain = _text(what)
                elif inner == at.Opset.VERSION:
                    version = signed(_number(what))
            self.model.opsets[self.budget.keep(domain or "ai.onnx")] = version
        elif number == at.Model.FUNCTIONS:
            self._function(_window(value))

    def graph(self, graph: Window, depth: int) -> None:
        if depth > DEEPEST_GRAPH:
            raise Corrupt("its graphs nest too deeply")
        inputs: list[Tensor] = []
        initialized: set[str] = set()
        for number, value in fields(graph, self.budget):
            if number == at.Graph.NODE:
                self._node(_window(value), depth)
            elif number == at.Graph.INITIALIZER:
                initialized.add(self.budget.keep(self._tensor(_window(value))))
            elif number == at.Graph.SPARSE_INITIALIZER:
                initialized.add(self.budget.keep(self._sparse(_window(value))))
            elif number == at.Graph.INPUT and depth == 0:
                inputs.append(self._value_info(_window(value)))
            elif number == at.Graph.OUTPUT and depth == 0:
                self.model.outputs.append(self._value_info(_window(value)))
        # Up to IR version 3 weights are listed among the inputs, too.
        self.model.inputs += [each for each in inputs if each.name not in initialized]

    def _function(self, function: Window) -> None:
        name = domain = ""
        for number, value in fields(function, self.budget):
            if number == at.Function.NAME:
                name = _text(value)
            elif number == at.Function.NODE:
                self._node(_window(value), depth=1)
            elif number == at.Function.DOMAIN:
                domain = _text(value)
        self.model.functions.add(self.budget.keep(_operator(domain, name)))

    def _node(self, node: Window, depth: int) -> None:
        name = domain = ""
        for number, value in fields(node, self.budget):
            if number == at.Node.OP_TYPE:
                name = _text(value)
            elif number == at.Node.DOMAIN:
                domain = _text(value)
            elif number == at.Node.ATTRIBUTE:
                self._attribute(_window(value), depth)
        operator = _operator(domain, name)
        operators = self.model.operators
        if operator not in operators:
            operators[self.budget.keep(operator)] = 0
        operators[operator] += 1

    def _attribute(self, attribute: Window, depth: int) -> None:
        for number, value in fields(attribute, self.budget):
            if number in (at.Attribute.G, at.Attribute.GRAPHS):
                self.graph(_window(value), depth + 1)
            elif number in (at.Attribute.T, at.Attribute.TENSORS):  # constants are weights, too
                self._tensor(_window(value))

    def _sparse(self, sparse: Window) -> str:
        name = ""
        for number, value in fields(sparse, self.budget):
            if number in (at.SparseTensor.VALUES, at.SparseTensor.INDICES):
                name = self._tensor(_window(value)) or name
        return name

    def _tensor(self, tensor: Window) -> str:
        """Counts a tensor's elements; returns its name."""
        name, kind, dimensions = "", 0, list[int]()
        for number, value in fields(tensor, self.budget):
            if number == at.Tensor.DIMS:
                dimensions += _packed(value)
            elif number == at.Tensor.DATA_TYPE:
                kind = _number(value)
            elif number == at.Tensor.NAME:
                name = _text(value)
            elif number == at.Tensor.EXTERNAL_DATA:
                self._external(_window(value))
            if len(dimensions) > MOST_DIMENSIONS:
                raise Corrupt("a tensor has too many dimensions")
        if any(each < 0 for each in dimensions):
            raise Corrupt("a tensor has a negative dimension")
        elements = math.prod(dimensions)
        dtype = DTYPES.get(kind, f"type {kind}")
        self.model.parameters += elements
        weights = self.model.weight_bytes
        weights[dtype] = weights.get(dtype, 0) + elements * _BITS.get(kind, 0) // 8
        return name

    def _external(self, entry: Window) -> None:
        key = value = ""
        for number, what in fields(entry, self.budget):
            if number == at.Entry.KEY:
                key = _text(what)
            elif number == at.Entry.VALUE:
                value = _text(what)
        if key == "location":
            self.model.external_files.add(self.budget.keep(value))

    def _value_info(self, info: Window) -> Tensor:
        name, dtype, shape = "", "unknown", None
        for number, value in fields(info, self.budget):
            if number == at.ValueInfo.NAME:
                name = _text(value)
            elif number == at.ValueInfo.TYPE:
                dtype, shape = self._type(_window(value))
        return Tensor(self.budget.keep(name), dtype, shape)

    def _type(self, type_: Window) -> tuple[str, Shape | None]:
        dtype, shape = "unknown", None
        for number, value in fields(type_, self.budget):
            if number == at.Type.TENSOR_TYPE:
                for inner, what in fields(_window(value), self.budget):
                    if inner == at.TensorType.ELEM_TYPE:
                        dtype = DTYPES.get(_number(what), f"type {what}")
                    elif inner == at.TensorType.SHAPE:
                        shape = self._shape(_window(what))
            elif number in at.Type.OTHERS:
                dtype = at.Type.OTHERS[number]
        return dtype, shape

    def _shape(self, shape: Window) -> Shape:
        dimensions: list[int | str] = []
        for number, value in fields(shape, self.budget):
            if number == at.Shape.DIM:
                dimension: int | str = "?"
                for inner, what in fields(_window(value), self.budget):
                    if inner == at.Dimension.VALUE:
                        dimension = signed(_number(what))
                    elif inner == at.Dimension.NAME:
                        dimension = self.budget.keep(_text(what)) or "?"
                dimensions.append(dimension)
            if len(dimensions) > MOST_DIMENSIONS:
                raise Corrupt("a shape has too many dimensions")
        return tuple(dimensions)


def _operator(domain: str, name: str) -> str:
    return name if domain in ("", "ai.onnx") else f"{domain}.{name}"


def _window(value: int | Window) -> Window:
    if isinstance(value, int):
        raise Corrupt("a number where a message belongs")
    return value


def _number(value: int | Window) -> int:
    if isinstance(value, Window):
        raise Corrupt(f"a message at byte {value.position} where a number belongs")
    return value


def _text(value: int | Window) -> str:
    window = _window(value)
    return window.text(window.left)


def _packed(value: int | Window) -> list[int]:
    """Repeated numbers come one by one, or packed into one field."""
    if isinstance(value, int):
        return [signed(value)]
    numbers: list[int] = []
    while value.left and len(numbers) <= MOST_DIMENSIONS:
        numbers.append(signed(value.varint()))
    return numbers
