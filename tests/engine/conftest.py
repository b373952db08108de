"""Small models, and engines that serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from wasmengine import gguf_files
from wasmengine.running import Engine, Server, module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small models, one for each type of tensor, and one that takes its time."""
    folder = tmp_path_factory.mktemp("models")
    for quant in ["F32", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"]:
        gguf_files.write(folder / f"{quant}.gguf", quant)
    qwen = gguf_files.Shape(architecture="qwen2")
    gguf_files.write(folder / "qwen2.gguf", "F32", qwen, tokenizer="qwen2")
    gguf_files.write(folder / "llama3.gguf", "Q8_0", tokenizer="llama-bpe")
    slow = gguf_files.Shape(layers=12, width=768, hidden=2048, heads=12, context=4096)
    gguf_files.write(folder / "slow.gguf", "F32", slow)
    return folder


@pytest.fixture(scope="session")
def llama(models: Path) -> Iterator[Engine]:
    engine = Engine(module("llama"), models)
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def server(llama: Engine) -> Server:
    return llama.serve("--model", "/Q8_0.gguf", "--chat-template", "chatml", "--queue", "2")


@pytest.fixture(scope="module")
def slow_server(llama: Engine) -> Server:
    """Generates for many seconds if asked to."""
    return llama.serve("--model", "/slow.gguf", "--queue", "2")
