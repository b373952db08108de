"""The engine beside llama.cpp, where that is installed: the same tokens, and how far logits are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from wasmengine import reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasmengine.running import Engine

llama_cpp = pytest.importorskip(
    "llama_cpp",
    reason="compare with llama.cpp: pip install llama-cpp-python (compiles for minutes)",
)

# The number of this type in ggml: keys and values as the engine keeps them, not in 16 bits.
F32 = 0
PROMPT = [1, 300, 310, 320, 7, 411]
TOKENS = 24
# Root mean square of the difference of logits by that of the logits. Inputs that meet quantised
# weights are rounded to 8 bits, and some round the other way where sums differ in the last digit.
LARGEST_DISTANCE = {
    "F32": 1e-5, "F16": 2e-3, "Q8_0": 5e-3, "Q4_0": 2e-2, "Q4_K": 5e-3, "Q6_K": 5e-3,
}  # fmt: skip


class Native:
    """llama.cpp with one thread."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.model = llama_cpp.Llama(
            str(path), n_ctx=512, n_threads=1, n_threads_batch=1, n_gpu_layers=0, logits_all=True,
            type_k=F32, type_v=F32, verbose=False, **settings,
        )  # fmt: skip

    def logits(self, tokens: list[int]) -> Any:
        """A row after each token."""
        self.model.reset()
        self.model.eval(tokens)
        return np.array(self.model.scores[: len(tokens)], dtype=np.float64)

    def greedy(self, tokens: list[int], count: int) -> list[int]:
        found: list[int] = []
        for _ in range(count):
            found.append(int(self.logits([*tokens, *found])[-1].argmax()))
        return found


@pytest.mark.parametrize("name", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "qwen2"])
def test_greedy_tokens_are_those_of_llama_cpp(llama: Engine, models: Path, name: str) -> None:
    wanted = Native(models / f"{name}.gguf").greedy(PROMPT, TOKENS)
    text = reference.Model(models / f"{name}.gguf").text(wanted)

    request: dict[str, Any] = {"prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0}
    answer = llama.infer(request, "--model", f"/{name}.gguf")

    assert answer["choices"][0]["text"] == text


@pytest.mark.parametrize("quant", LARGEST_DISTANCE)
def test_logits_of_the_reference_are_near_those_of_llama_cpp(
    models: Path, quant: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The engine's tokens and states are the reference's: test_llama_answers.py."""
    path = models / f"{quant}.gguf"
    tokens = [*PROMPT, *range(256, 280)]
    native, ours = Native(path).logits(tokens), reference.Model(path).logits(tokens)

    distance = np.sqrt(((native - ours) ** 2).mean() / (native**2).mean())

    record_testsuite_property(f"distance of logits, {quant}", f"{distance:.2g}")
    assert distance < LARGEST_DISTANCE[quant]


@pytest.mark.parametrize("quant", LARGEST_DISTANCE)
def test_mean_states_are_near_those_of_llama_cpp(
    llama: Engine,
    models: Path,
    quant: str,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    path = models / f"{quant}.gguf"
    tokens = [*PROMPT, *range(256, 280)]
    native = Native(path, embedding=True, pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN)
    native.model.eval(tokens)
    pooled = llama_cpp.llama_get_embeddings_seq(native.model.ctx, 0)
    wanted = np.ctypeslib.as_array(pooled, shape=(native.model.n_embd(),)).astype(np.float64)

    answer = llama.infer({"input": tokens}, "--model", f"/{quant}.gguf")

    found = np.array(answer["data"][0]["embedding"])
    distance = np.linalg.norm(found - wanted / np.linalg.norm(wanted))
    record_testsuite_property(f"distance of states, {quant}", f"{distance:.2g}")
    assert distance < LARGEST_DISTANCE[quant]
