"""Models as files: recognised by content, with all their files, or refused with advice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import onnx_builders as build
import pytest
from gguf_builders import gguf

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.model import chat_template, read_model, read_tflite

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    assert read_model(written(tmp_path / "a.bin", build.small_model())).format == "onnx"
    assert read_model(written(tmp_path / "b.onnx", gguf())).format == "gguf"


def test_a_card_of_an_onnx_model_says_what_a_caller_needs(tmp_path: Path) -> None:
    model = read_model(written(tmp_path / "mnist.onnx", build.small_model()))

    assert model.name == "mnist"
    assert model.card["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["batch", 3]}]
    assert model.card["opset"] == {"ai.onnx": 17}
    assert model.card["quantized"] is False
    assert model.operators == {"Mul"}


def test_a_card_of_a_gguf_model_says_what_a_caller_needs(tmp_path: Path) -> None:
    metadata = {
        "general.architecture": "llama",
        "general.name": "Tiny\x1b[31m",
        "llama.context_length": 512,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["a", "b"],
        "tokenizer.chat_template": "<|start_header_id|>",
    }
    card = read_model(written(tmp_path / "m.gguf", gguf(metadata))).card

    assert card["name"] == "Tiny?[31m"
    assert (card["contextLength"], card["vocabulary"]) == (512, 2)
    assert (card["chatTemplate"], card["quantization"]) == ("llama-3", "F32")


def test_weights_in_other_files_belong_to_the_model(tmp_path: Path) -> None:
    path = written(tmp_path / "m.onnx", build.small_model(external="parts/w.bin"))
    written(tmp_path / "parts" / "w.bin", bytes(24))

    model = read_model(path)
    assert [each.name for each in model.files] == ["m.onnx", "parts/w.bin"]
    assert model.size == path.stat().st_size + 24


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret"])
def test_a_model_may_not_reach_out_of_its_folder(tmp_path: Path, name: str) -> None:
    written(tmp_path / "secret", b"key")
    path = written(tmp_path / "models" / "m.onnx", build.small_model(external=name))

    with pytest.raises(InputError, match="outside its own folder"):
        read_model(path)


def test_a_link_may_not_lead_out_of_the_folder_either(tmp_path: Path) -> None:
    written(tmp_path / "secret", b"key")
    path = written(tmp_path / "models" / "m.onnx", build.small_model(external="w"))
    (path.parent / "w").symlink_to(tmp_path / "secret")

    with pytest.raises(InputError, match="outside its own folder"):
        read_model(path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "m.onnx", build.small_model(external="w.bin"))

    with pytest.raises(InputError, match=r"'w\.bin', which is not beside it"):
        read_model(path)


def test_a_model_in_parts_has_them_all(tmp_path: Path) -> None:
    data = gguf({"general.architecture": "llama", "split.count": 2})
    names = [f"big-{n:05}-of-00002.gguf" for n in (1, 2)]
    paths = [written(tmp_path / name, data) for name in names]

    assert [each.name for each in read_model(paths[0]).files] == names
    with pytest.raises(InputError, match="one part of a model in 2 parts"):
        read_model(paths[1])
    paths[1].unlink()
    with pytest.raises(InputError, match=r"big-00002-of-00002\.gguf is missing"):
        read_model(paths[0])


@pytest.mark.parametrize(
    ("name", "data", "what", "advice"),
    [
        ("m.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite", "tf2onnx.convert --tflite"),
        ("m.pt", b"PK\3\4", "PyTorch", "torch.onnx.export"),
        ("m.pth", b"\x80\2", "PyTorch", "torch.onnx.export"),
        ("m.safetensors", b"\x10\0\0\0\0\0\0\0{}", "safetensors", "optimum-cli export onnx"),
        ("m.safetensors", b"\x10\0\0\0\0\0\0\0{}", "safetensors", "convert_hf_to_gguf.py"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "Keras", "tf2onnx.convert --keras"),
        ("m.keras", b"PK\3\4", "Keras 3", "format="),
        ("m.bin", b"lmgg", "before GGUF", "convert_hf_to_gguf.py"),
        ("m.wasm", b"\0asm\1\0\0\0", "WebAssembly module", "--engine"),
        ("m.txt", b"hello", "no model that is known", r"\.onnx"),
        ("m.onnx", b"hello", "no usable ONNX file", "onnx.checker"),
        ("m.gguf", b"GGUF\3", "no usable GGUF file", "checksum"),
    ],
)
def test_other_files_are_refused_with_the_command_that_helps(
    tmp_path: Path, name: str, data: bytes, what: str, advice: str
) -> None:
    with pytest.raises(InputError, match=what) as refused:
        read_model(written(tmp_path / name, data))

    assert advice.replace("\\", "") in refused.value.hint


def test_folders_are_recognised_too(tmp_path: Path) -> None:
    written(tmp_path / "saved" / "saved_model.pb", b"x")
    written(tmp_path / "hf" / "config.json", b"{}")
    (tmp_path / "empty").mkdir()

    for name, words in (("saved", "SavedModel"), ("hf", "Transformers"), ("empty", "no model")):
        with pytest.raises(InputError, match=words):
            read_model(tmp_path / name)


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_model(tmp_path / "m.onnx")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "m.onnx", b"x")
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read_model(path)


def test_a_name_in_a_command_is_quoted_for_the_shell(tmp_path: Path) -> None:
    path = written(tmp_path / "a b;rm.tflite", b"\x1c\0\0\0TFL3")
    with pytest.raises(InputError) as refused:
        read_model(path)

    assert f"'{path}'" in refused.value.hint


def test_tflite_is_a_model_where_nobody_has_to_run_it(tmp_path: Path) -> None:
    found = read_tflite(written(tmp_path / "m.tflite", b"\x1c\0\0\0TFL3"))

    assert found
    assert found.format == "tflite"
    assert read_tflite(written(tmp_path / "m.onnx", build.small_model())) is None
    assert read_tflite(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("{{'<|im_start|>'}}", "chatml"),
        ("<|start_header_id|>", "llama-3"),
        ("[INST]", "llama-2"),
        ("{{x}}", "other"),
    ],
)
def test_families_of_chat_templates_are_told_by_their_marks(text: str, family: str) -> None:
    assert chat_template(text) == family
