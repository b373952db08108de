"""Model files of other formats: recognised, refused, and the exact command that exports them.

Exporting needs the framework that made the model, so it is that framework's work. Sources: the
documentation of ``torch.onnx``, optimum, tf2onnx, Keras 3 and llama.cpp.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Foreign(NamedTuple):
    """What a file is, and how it becomes one that can be used."""

    what: str
    advice: str


def recognize(path: Path, head: bytes) -> Foreign | None:
    """What ``path`` is if not ONNX or GGUF; ``head`` is its first bytes. None: nothing known."""
    quoted = shlex.quote(str(path))
    suffix = path.suffix.lower()
    pickled = head[:2] in (b"PK", b"\x80\x02")
    hdf5 = head[:8] == b"\x89HDF\r\n\x1a\n"
    kinds: list[tuple[bool, Callable[[], Foreign | None]]] = [
        (path.is_dir(), lambda: _folder(path, quoted)),
        (head[4:8] == b"TFL3", lambda: _tflite(quoted)),
        (suffix == ".safetensors" or _is_safetensors(head), lambda: _safetensors(path)),
        (suffix in (".pt", ".pth"), lambda: _pytorch(quoted)),
        (suffix == ".bin" and pickled, lambda: _pytorch(quoted)),
        (suffix in (".h5", ".hdf5") or hdf5, lambda: _keras("a Keras model in HDF5", quoted)),
        (suffix == ".keras", lambda: _keras("a Keras 3 model", quoted)),
        (head[:4] in (b"ggml", b"lmgg", b"tjgg"), _ggml),
        (head[:4] == b"\0asm", _module),
    ]
    return next((kind() for matches, kind in kinds if matches), None)


def _tflite(quoted: str) -> Foreign:
    return Foreign(
        "a TensorFlow Lite model",
        "the engine runs ONNX and GGUF. Convert it: "
        f"python -m tf2onnx.convert --tflite {quoted} --output model.onnx\n"
        "or, for a WasmEdge with the tflite plugin, build an image of the file alone: --model-only",
    )


def _ggml() -> Foreign:
    return Foreign(
        "a ggml file of the time before GGUF",
        "convert the original model again with a current llama.cpp: "
        "python convert_hf_to_gguf.py FOLDER --outfile model.gguf",
    )


def _module() -> Foreign:
    return Foreign(
        "a WebAssembly module, not a model",
        "give the model, and the module as its engine: --engine FILE",
    )


def _folder(path: Path, quoted: str) -> Foreign | None:
    if (path / "saved_model.pb").exists():
        return Foreign(
            "a TensorFlow SavedModel",
            f"export it: python -m tf2onnx.convert --saved-model {quoted} --output model.onnx",
        )
    if (path / "config.json").exists():
        return _transformers(quoted)
    return None


def _safetensors(path: Path) -> Foreign:
    found = _transformers(shlex.quote(str(path.parent)))
    return Foreign("weights in safetensors, without the computation", found.advice)


def _transformers(folder: str) -> Foreign:
    return Foreign(
        "a folder of a Transformers model",
        "export the folder, with optimum as ONNX: "
        f"optimum-cli export onnx --model {folder} exported/\n"
        "or a Llama-family model, with llama.cpp as GGUF: "
        f"python convert_hf_to_gguf.py {folder} --outfile model.gguf --outtype q8_0",
    )


def _pytorch(quoted: str) -> Foreign:
    return Foreign(
        "a PyTorch file",
        "export it where its class is defined:\n"
        f"  model.load_state_dict(torch.load({quoted!r}))\n"
        '  torch.onnx.export(model.eval(), (example_input,), "model.onnx", dynamo=True)\n'
        "or a Transformers model: optimum-cli export onnx --model FOLDER exported/",
    )


def _keras(what: str, quoted: str) -> Foreign:
    program = (
        f"import keras; keras.saving.load_model({quoted!r}).export('model.onnx', format='onnx')"
    )
    return Foreign(
        what,
        f"export it with Keras 3: python -c {shlex.quote(program)}\n"
        f"or with tf2onnx: python -m tf2onnx.convert --keras {quoted} --output model.onnx",
    )


def _is_safetensors(head: bytes) -> bool:
    """Eight bytes of length, then a JSON object."""
    return len(head) > 9 and head[8:10] in (b'{"', b"{ ") and head[6:8] == b"\0\0"  # noqa: PLR2004
