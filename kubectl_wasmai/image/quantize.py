"""Smaller weights by onnxruntime's own tool, and what that changes in the answers.

onnxruntime, onnx and numpy are the user's to install: nothing else here needs them.
"""

from __future__ import annotations

import importlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.errors import InputError, MissingProgram

if TYPE_CHECKING:
    from pathlib import Path

# Open Inference Protocol v2, "Tensor Data Types", with numpy's names.
_DATATYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16",
    "FP32": "float32", "FP64": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """How one output changed on the sample; ``same_choice`` is the share of equal arg-maxima."""

    output: str
    largest_value: float
    largest_difference: float
    mean_difference: float
    same_choice: float


def quantize_int8(model: Path, target: Path) -> None:
    """Write ``model`` with weights of eight bits to ``target``.

    Raises MissingProgram, and InputError where the tool cannot do it.
    """
    tool = _require("onnxruntime.quantization")
    # It advises on the root logger to preprocess models; the doctor of models is not asked here.
    logging.getLogger().setLevel(logging.ERROR)
    try:
        tool.quantize_dynamic(str(model), str(target), weight_type=tool.QuantType.QInt8)
    except Exception as error:
        raise InputError(
            f"onnxruntime cannot quantize {model}: {error}",
            "preprocess it first: python -m onnxruntime.quantization.preprocess "
            "--input model.onnx --output prepared.onnx",
        ) from error


def compare(original: Path, changed: Path, sample: Path) -> list[Change]:
    """Run both on the inputs in ``sample`` (.npz, or .json of the Open Inference Protocol).

    Raises MissingProgram, InputError.
    """
    runtime, numpy = _require("onnxruntime"), _require("numpy")
    inputs = _read_sample(sample, numpy)
    answers = []
    for path in (original, changed):
        try:
            session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            names = [each.name for each in session.get_outputs()]
            answers.append(session.run(names, inputs))
        except Exception as error:
            raise InputError(
                f"{path.name} does not run on the sample {sample}: {error}",
                "the sample needs a value for each input, of its dtype and shape; "
                "`kubectl wasmai image inspect MODEL` lists them",
            ) from error
    pairs = zip(names, *answers, strict=True)
    return [_change(numpy, name, before, after) for name, before, after in pairs]


def _change(numpy: Any, name: str, before: Any, after: Any) -> Change:
    before, after = (numpy.asarray(each, dtype="float64") for each in (before, after))
    difference = numpy.abs(before - after)
    last = before.shape[-1] if before.ndim else 1
    same = numpy.ones(1)
    if last > 1:
        same = before.argmax(axis=-1) == after.argmax(axis=-1)
    return Change(
        name,
        float(numpy.abs(before).max(initial=0)),
        float(difference.max(initial=0)),
        float(difference.mean()) if difference.size else 0.0,
        float(numpy.mean(same)),
    )


def _read_sample(sample: Path, numpy: Any) -> dict[str, Any]:
    try:
        if sample.suffix == ".npz":
            with numpy.load(sample, allow_pickle=False) as arrays:
                return dict(arrays)
        document = json.loads(sample.read_bytes())
        return {
            each["name"]: numpy.array(each["data"], _DATATYPES[each["datatype"]]).reshape(
                each["shape"]
            )
            for each in document["inputs"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"cannot read the sample {sample}: {error!r}",
            "write it with numpy.savez(FILE, input_name=array), or as a request of the Open "
            'Inference Protocol: {"inputs": [{"name", "shape", "datatype", "data"}]}',
        ) from error


def _require(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingProgram(
            f"quantizing needs onnxruntime and onnx, which are not installed here ({error})",
            "pip install onnxruntime onnx, or pipx inject kubectl-wasmai onnxruntime onnx",
        ) from error
