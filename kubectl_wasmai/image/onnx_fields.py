"""Field numbers of ``onnx/onnx.proto3`` of the ONNX project, as far as they are read."""

from __future__ import annotations

from typing import ClassVar


class Model:
    IR_VERSION, PRODUCER_NAME, PRODUCER_VERSION, GRAPH, OPSET_IMPORT, FUNCTIONS = 1, 2, 3, 7, 8, 25


class Opset:
    DOMAIN, VERSION = 1, 2


class Graph:
    NODE, INITIALIZER, INPUT, OUTPUT, SPARSE_INITIALIZER = 1, 5, 11, 12, 15


class Function:
    NAME, NODE, DOMAIN = 1, 7, 10


class Node:
    OP_TYPE, ATTRIBUTE, DOMAIN = 4, 5, 7


class Attribute:
    T, G, TENSORS, GRAPHS = 5, 6, 10, 11


class SparseTensor:
    VALUES, INDICES = 1, 2


class Tensor:
    DIMS, DATA_TYPE, NAME, EXTERNAL_DATA = 1, 2, 8, 13


class Entry:
    KEY, VALUE = 1, 2


class ValueInfo:
    NAME, TYPE = 1, 2


class Type:
    TENSOR_TYPE = 1
    OTHERS: ClassVar = {4: "sequence", 5: "map", 8: "sparse", 9: "optional"}


class TensorType:
    ELEM_TYPE, SHAPE = 1, 2


class Shape:
    DIM = 1


class Dimension:
    VALUE, NAME = 1, 2
