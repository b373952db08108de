"""Reading GGUF headers: what is in them, what is wrong with them, and at what cost."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from gguf_builders import gguf, text
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubectl_wasmai.image.binary import Corrupt
from kubectl_wasmai.image.gguf import TYPES, GgufModel, read_gguf

if TYPE_CHECKING:
    from pathlib import Path


def read(data: bytes) -> GgufModel:
    return read_gguf(io.BytesIO(data), len(data))


def test_architecture_parameters_and_quantisation_are_told() -> None:
    found = read(
        gguf(
            {"general.architecture": "llama", "llama.context_length": 2048, "x": ["a", "bc"]},
            [("a", [32, 2], 8, 0), ("b", [32], 0, 96)],
        )
    )

    assert found.architecture == "llama"
    assert found.number("context_length") == 2048
    assert found.metadata["x#"] == 2
    assert (found.parameters, found.tensor_bytes) == (96, {"Q8_0": 68, "F32": 128})
    assert found.quantization == "F32"


def test_a_file_without_tensors_is_read() -> None:
    found = read(gguf(tensors=[], weights=0))

    assert (found.parameters, found.quantization) == (0, "unknown")


def test_very_long_texts_are_passed_over() -> None:
    found = read(gguf({"general.architecture": "llama", "notes": "n" * 100_000}))

    assert found.metadata["notes"] == ""


def test_nested_arrays_are_passed_over() -> None:
    found = read(gguf({"general.architecture": "llama", "deep": [[1, 2], [3]]}))

    assert found.metadata["deep#"] == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GGML", "does not begin with GGUF"),
        (b"GG", "are left"),
        (gguf(version=1), "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(64), "big-endian"),
        (gguf()[:-1], "the last 1 bytes of its weights are missing"),
        (gguf(weights=0), "the last 256 bytes"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "announces 1152921504606846976 tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "metadata entries"),
        (gguf(tensors=[("a", [1, 1, 1, 1, 1], 0, 0)]), "5 dimensions"),
        (gguf(tensors=[("a", [1], 99, 0)]), "unknown type 99"),
        (gguf(tensors=[("a", [1 << 40, 1 << 40], 0, 0)]), "impossible sizes"),
        (gguf(tensors=[("a", [1], 0, 1 << 63)]), "impossible sizes"),
        (gguf({"general.alignment": 0}), "alignment is 0"),
        (gguf({"general.alignment": "x"}), "alignment is 'x'"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 77), "type 77"),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 1 << 50),
            "an array of",
        ),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 62),
            "are left",
        ),
        (
            b"GGUF"
            + struct.pack("<IQQ", 3, 0, 1)
            + text("k")
            + struct.pack("<I", 9)
            + struct.pack("<IQ", 9, 1) * 9,
            "nest too deeply",
        ),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(Corrupt, match=words):
        read(data)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(gguf())
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, b"GGUF\3\0\0\0" + data):
        with contextlib.suppress(Corrupt):
            read(whole)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_header_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(gguf({"general.architecture": "llama", "n": 1, "tokens": ["a", "b"]}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(8, len(whole) - 257))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Corrupt):
        read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


values = st.one_of(
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.text(max_size=20),
    st.lists(st.text(max_size=5), min_size=1, max_size=5),
)


@settings(deadline=None)
@given(st.dictionaries(st.text("abc.", min_size=1, max_size=8), values, max_size=8))
def test_what_is_written_is_read(metadata: dict[str, Any]) -> None:
    found = read(gguf(metadata)).metadata

    for key, value in metadata.items():
        if isinstance(value, list):
            assert found[f"{key}#"] == len(value)
        else:
            assert found[key] == value


def test_a_vocabulary_is_not_kept_in_memory() -> None:
    data = gguf({"general.architecture": "llama", "tokenizer.ggml.tokens": ["token"] * 30_000})
    tracemalloc.start()
    found = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.metadata["tokenizer.ggml.tokens#"] == 30_000
    assert peak < 1 << 20


def test_a_sparse_file_of_20_gigabytes_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "big.gguf"
    elements = 5 << 30
    header = gguf(tensors=[("a", [elements], 0, 0)], weights=0)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + elements * 4)
    tracemalloc.start()
    with path.open("rb") as file:
        found = read_gguf(file, path.stat().st_size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.parameters == elements
    assert peak < 1 << 20


def test_block_sizes_are_those_of_the_gguf_package() -> None:
    peer = pytest.importorskip("gguf")

    sizes = {each.value: peer.GGML_QUANT_SIZES.get(each) for each in peer.GGMLQuantizationType}
    for number, layout in TYPES.items():
        assert peer.GGMLQuantizationType(number).name == layout.name
        assert sizes[number] == (layout.block, layout.block_bytes)


def test_a_file_of_the_gguf_package_is_read_as_it_reads_it(tmp_path: Path) -> None:
    peer, numpy = pytest.importorskip("gguf"), pytest.importorskip("numpy")
    path = tmp_path / "peer.gguf"
    writer = peer.GGUFWriter(str(path), "llama")
    writer.add_context_length(256)
    writer.add_block_count(2)
    writer.add_token_list(["<s>", "a", "b"])
    writer.add_chat_template("<|im_start|>{{ messages }}")
    writer.add_tensor("token_embd.weight", numpy.ones((3, 64), "float32"))
    quantized = peer.quants.quantize(numpy.ones((4, 64), "float32"), peer.GGMLQuantizationType.Q8_0)
    writer.add_tensor("w", quantized, raw_dtype=peer.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    found = read(path.read_bytes())
    theirs = peer.GGUFReader(str(path))
    assert found.parameters == sum(int(each.n_elements) for each in theirs.tensors)
    assert found.tensor_bytes == {"F32": 768, "Q8_0": int(theirs.tensors[1].n_bytes)}
    assert (found.number("context_length"), found.number("block_count")) == (256, 2)
    assert found.metadata["tokenizer.ggml.tokens#"] == 3
