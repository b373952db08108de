"""A model as the rest of the plugin sees it: what it is, and the files it is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.binary import Corrupt
from kubectl_wasmai.image.foreign import recognize
from kubectl_wasmai.image.gguf import MAGIC, GgufModel, read_gguf
from kubectl_wasmai.image.onnx import OnnxModel, Tensor, read_onnx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_wasmai.engine import Format

HEAD = 64
MOST_LISTED = 64
"""Inputs, outputs and operators in a model card, which travels as a label."""
LONGEST_NAME = 200


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: where it is here, and its path beside the others."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class Model:
    """A model that has been read. ``files`` begins with the one the engine opens."""

    format: str
    """``onnx``, ``gguf`` or ``tflite``."""
    files: tuple[ModelFile, ...]
    card: Mapping[str, Any]
    """What people and tools want to know of it, as JSON."""
    operators: frozenset[str] = frozenset()
    """All operators of an ONNX model."""
    tensor_types: frozenset[str] = frozenset()
    """All tensor types of a GGUF model."""

    @property
    def name(self) -> str:
        """The name of the first file without its suffix."""
        return PurePosixPath(self.files[0].name).stem

    @property
    def engine_format(self) -> Format:
        """The format by which its engine is chosen."""
        return "gguf" if self.format == "gguf" else "onnx"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_model(path: Path) -> Model:
    """Read the structure of the model at ``path``, never its weights.

    Raises InputError where it cannot be read, is corrupt, or has another format.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(HEAD)
            return _read(path, file, size, head)
    except IsADirectoryError:
        raise _refusal(path, b"") from None
    except OSError as error:
        raise InputError(
            f"cannot read the model {path}: {error.strerror}",
            "give the path of an .onnx or .gguf file",
        ) from error


def _read(path: Path, file: BinaryIO, size: int, head: bytes) -> Model:
    if head[:4] == MAGIC:
        try:
            return _gguf(path, read_gguf(file, size), size)
        except Corrupt as error:
            raise InputError(
                f"{path} is no usable GGUF file: {error}",
                "download or convert it again, and compare its checksum",
            ) from error
    if recognize(path, head) is not None:
        raise _refusal(path, head)
    try:
        return _onnx(path, read_onnx(file, size), size)
    except Corrupt as error:
        if path.suffix == ".onnx":
            raise InputError(
                f"{path} is no usable ONNX file: {error}",
                "download or export it again; python -m onnx.checker says more",
            ) from error
        raise _refusal(path, head) from error


def _refusal(path: Path, head: bytes) -> InputError:
    found = recognize(path, head)
    if found is None:
        return InputError(
            f"{path} is no model that is known here",
            "images are built from ONNX (.onnx) and GGUF (.gguf) files",
        )
    return InputError(f"{path} is {found.what}", found.advice)


def read_tflite(path: Path) -> Model | None:
    """A TensorFlow Lite file as a model nobody looks into, or None where it is no such file."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            size = file.seek(0, 2)
    except OSError:
        return None
    if head[4:8] != b"TFL3":
        return None
    return Model("tflite", (ModelFile(path, path.name, size),), {"format": "tflite", "size": size})


def _onnx(path: Path, read: OnnxModel, size: int) -> Model:
    files = [ModelFile(path, path.name, size)]
    files += [_external(path, name) for name in sorted(read.external_files)]
    quantized = {"int8", "uint8", "int4", "uint4"} & read.weight_bytes.keys()
    card = {
        "format": "onnx",
        "producer": _short(read.producer),
        "irVersion": read.ir_version,
        "opset": dict(sorted(read.opsets.items())[:MOST_LISTED]),
        "inputs": [_tensor(each) for each in read.inputs[:MOST_LISTED]],
        "outputs": [_tensor(each) for each in read.outputs[:MOST_LISTED]],
        "operators": dict(sorted(read.operators.items(), key=_most_used)[:MOST_LISTED]),
        "parameters": read.parameters,
        "weights": dict(sorted(read.weight_bytes.items())),
        "quantized": bool(quantized & _main_weights(read)),
        "size": sum(file.size for file in files),
    }
    return Model("onnx", tuple(files), card, operators=frozenset(read.operators))


def _main_weights(read: OnnxModel) -> set[str]:
    """The dtypes that hold most of the weights."""
    total = sum(read.weight_bytes.values())
    return {dtype for dtype, size in read.weight_bytes.items() if size * 4 > total}


def _most_used(entry: tuple[str, int]) -> tuple[int, str]:
    return (-entry[1], entry[0])


def _external(model: Path, name: str) -> ModelFile:
    """A file of weights beside the model; it may not lead out of the model's folder.

    Raises InputError.
    """
    relative = PurePosixPath(name)
    plain = not relative.is_absolute() and ".." not in relative.parts and "\\" not in name
    path = model.parent / relative
    if not plain or not path.resolve().is_relative_to(model.parent.resolve()):
        raise InputError(
            f"{model} wants its weights from {name!r}, outside its own folder",
            "an honest exporter writes them beside the model; export it again",
        )
    try:
        size = path.stat().st_size if path.is_file() else -1
    except OSError:
        size = -1
    if size < 0:
        raise InputError(
            f"{model} keeps weights in {name!r}, which is not beside it",
            "copy all files of the model into one folder",
        )
    return ModelFile(path, str(relative), size)


def _gguf(path: Path, read: GgufModel, size: int) -> Model:
    template = read.metadata.get("tokenizer.chat_template")
    card = {
        "format": "gguf",
        "architecture": _short(read.architecture),
        "name": _short(str(read.metadata.get("general.name") or "")),
        "license": _short(str(read.metadata.get("general.license") or "")),
        "parameters": read.parameters,
        "quantization": read.quantization,
        "weights": dict(sorted(read.tensor_bytes.items())),
        "contextLength": read.number("context_length"),
        "embeddingLength": read.number("embedding_length"),
        "layers": read.number("block_count"),
        "tokenizer": _short(str(read.metadata.get("tokenizer.ggml.model") or "")),
        "vocabulary": read.metadata.get("tokenizer.ggml.tokens#"),
        "chatTemplate": chat_template(template) if isinstance(template, str) else None,
        "size": size,
    }
    card = {key: value for key, value in card.items() if value not in (None, "")}
    files = _parts(path, read, size)
    card["size"] = sum(file.size for file in files)
    return Model("gguf", files, card, tensor_types=frozenset(read.tensor_bytes))


def _parts(path: Path, read: GgufModel, size: int) -> tuple[ModelFile, ...]:
    """A large model may come in several files, NAME-00001-of-00003.gguf. Raises InputError."""
    count = read.metadata.get("split.count")
    if not isinstance(count, int) or count < 2:  # noqa: PLR2004
        return (ModelFile(path, path.name, size),)
    match = re.fullmatch(r"(.*)-(\d{5})-of-(\d{5})\.gguf", path.name)
    if not match or int(match[2]) != 1 or int(match[3]) != count:
        raise InputError(
            f"{path} is one part of a model in {count} parts",
            "give the first part, NAME-00001-of-0000N.gguf, with the others beside it",
        )
    parts = []
    for number in range(1, count + 1):
        part = path.with_name(f"{match[1]}-{number:05}-of-{count:05}.gguf")
        if not part.is_file():
            raise InputError(f"{part} is missing", "copy all parts of the model into one folder")
        parts.append(ModelFile(part, part.name, part.stat().st_size))
    return tuple(parts)


def chat_template(text: str) -> str:
    """The family a chat template belongs to, told by the marks it writes."""
    marks = {
        "<|im_start|>": "chatml",
        "<|start_header_id|>": "llama-3",
        "[INST]": "llama-2",
        "<start_of_turn>": "gemma",
        "<|user|>": "zephyr",
    }
    return next((family for mark, family in marks.items() if mark in text), "other")


def _tensor(tensor: Tensor) -> dict[str, Any]:
    shape = None if tensor.shape is None else [_dimension(each) for each in tensor.shape]
    return {"name": _short(tensor.name), "dtype": tensor.dtype, "shape": shape}


def _dimension(value: int | str) -> int | str:
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    """One printable line of a name that a stranger chose."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_NAME])
    return f"{line}…" if len(text) > LONGEST_NAME else line
