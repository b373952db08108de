from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.gguf import from_name

# Sizes of real files, as Hugging Face lists them.
FILES = {
    "llama-2-7b-chat.Q4_K_M.gguf": 4.08e9,
    "llama-2-7b-chat.Q8_0.gguf": 7.16e9,
    "llama-2-13b-chat.Q5_K_M.gguf": 9.23e9,
    "/models/Meta-Llama-3-8B-Instruct-Q5_K_M.gguf": 5.73e9,
    "qwen2.5-0.5b-instruct-fp16.gguf": 1.27e9,
    "mixtral-8x7b-instruct-v0.1.Q4_K_M.gguf": 26.4e9,
    "Llama-3.2-1B-Instruct-Q4_0.gguf": 0.77e9,
}


@pytest.mark.parametrize(("name", "size"), FILES.items(), ids=FILES)
def test_a_file_s_size_is_estimated_from_its_name(name: str, size: float) -> None:
    model = from_name(name)

    assert model
    # Small models keep large embeddings in more bits, so the estimate is low there.
    assert 0.65 <= model.bytes / size <= 1.15


@pytest.mark.parametrize(
    "name",
    ["model.gguf", "llama-2-7b.gguf", "tinyllama.Q4_K_M.gguf", "llama-2-7b.Q4_K_M.onnx", "", "7b"],
)
def test_a_name_that_does_not_tell_both_is_no_estimate(name: str) -> None:
    assert from_name(name) is None


def test_a_version_in_the_name_is_no_number_of_parameters() -> None:
    model = from_name("Llama-3.1-8B-Instruct.Q4_0.gguf")

    assert model
    assert model.parameters == 8e9


@given(st.text())
def test_any_name_is_read(name: str) -> None:
    model = from_name(name + ".gguf")

    assert model is None or model.bytes >= 0
