"""The engine's numbers are those of the reference: a numpy model of the published definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from wasmengine import reference

if TYPE_CHECKING:
    from pathlib import Path

    from wasmengine.running import Engine

PROMPT = [1, 300, 310, 320, 7, 411]
TOKENS = 24


@pytest.mark.parametrize("quant", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"])
def test_greedy_tokens_are_those_of_the_reference(llama: Engine, models: Path, quant: str) -> None:
    model = reference.Model(models / f"{quant}.gguf")
    wanted = model.greedy(PROMPT, TOKENS)

    request: dict[str, Any] = {"prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0}
    answer = llama.infer(request, "--model", f"/{quant}.gguf")

    assert answer["choices"][0]["text"] == model.text(wanted)


@pytest.mark.parametrize("name", ["F32", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "qwen2"])
def test_last_states_are_those_of_the_reference(llama: Engine, models: Path, name: str) -> None:
    model = reference.Model(models / f"{name}.gguf")
    tokens = [256, 300, 310, 320, 7, 411, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]

    answer = llama.infer({"input": tokens}, "--model", f"/{name}.gguf")

    found = np.array(answer["data"][0]["embedding"])
    distance = np.linalg.norm(found - model.embedding(tokens))
    # 8-bit inputs may round the other way where float and double differ.
    assert distance < (1e-5 if name in {"F32", "qwen2"} else 0.02)


def test_a_llama_file_tokenises_as_sentencepiece_does(llama: Engine) -> None:
    # Greedy merging by score: "hello" and "world" are whole pieces; the snowman is three bytes.
    request = {"prompt": "hello world \u2603", "max_tokens": 1}
    answer = llama.infer(request, "--model", "/F32.gguf")
    # <s>, " hello", " world", " ", and three bytes.
    assert answer["usage"]["prompt_tokens"] == 7


def test_a_seed_makes_samples_repeatable(llama: Engine) -> None:
    def sample(seed: int) -> str:
        request = {"prompt": "hello", "max_tokens": 20, "seed": seed, "temperature": 1.5}
        text = llama.infer(request, "--model", "/Q8_0.gguf")["choices"][0]["text"]
        assert isinstance(text, str)
        return text

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_embeddings_come_as_base64_too(llama: Engine) -> None:
    import base64

    plain = llama.infer({"input": "hello"}, "--model", "/F32.gguf")["data"][0]["embedding"]
    coded = llama.infer({"input": ["hello"], "encoding_format": "base64"}, "--model", "/F32.gguf")[
        "data"
    ][0]["embedding"]
    assert np.frombuffer(base64.b64decode(coded), "<f4").tolist() == plain
