"""Small GGUF files with random weights, written by llama.cpp's own `gguf` package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Shape:
    """A model's size. Multiples of 256, so that every quantisation fits."""

    architecture: str = "llama"
    layers: int = 3
    width: int = 256
    hidden: int = 512
    heads: int = 8
    kv_heads: int = 4
    vocabulary: int = 512
    context: int = 512


SPM_WORDS = ["hello", "world", "the", "sheep", "ing", "ein", "Käse", "er", "he", "ll", "lo", "wor"]


def spm_tokens(vocabulary: int) -> tuple[list[str], list[float], list[int]]:
    """A SentencePiece vocabulary: control, bytes, letters, and every step of some merges."""
    tokens = ["<unk>", "<s>", "</s>"]
    kinds = [2, 3, 3]
    scores = [0.0, 0.0, 0.0]
    for byte in range(256):
        tokens.append(f"<0x{byte:02X}>")
        kinds.append(6)
        scores.append(0.0)
    pieces = ["\u2581", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'ä"]
    for word in SPM_WORDS:
        spelled = f"\u2581{word}"
        pieces += [spelled[:end] for end in range(2, len(spelled) + 1)]
        pieces += [word[:end] for end in range(2, len(word) + 1)]
    for rank, piece in enumerate(dict.fromkeys(pieces)):
        tokens.append(piece)
        kinds.append(1)
        scores.append(-float(rank))
    return pad(tokens, scores, kinds, vocabulary)


def pad(
    tokens: list[str], scores: list[float], kinds: list[int], vocabulary: int
) -> tuple[list[str], list[float], list[int]]:
    assert len(tokens) <= vocabulary, len(tokens)
    for number in range(vocabulary - len(tokens)):
        tokens.append(f"\u2581filler{number}")
        scores.append(-1e6)
        kinds.append(1)
    return tokens, scores, kinds


def byte_letters() -> list[str]:
    """GPT-2's letter for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    letters |= {byte: chr(0x100 + at) for at, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


BPE_SPECIAL = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>",
]  # fmt: skip


def bpe_tokens(vocabulary: int) -> tuple[list[str], list[str], list[int]]:
    """Tokens, merges and kinds: bytes, then the merges that spell some words."""
    letters = byte_letters()
    tokens = list(letters)
    merges: dict[str, None] = {}
    for word in [" hello", " world", "the", " the", " sheep", "ing", "er", "\n\n", "  ", " Käse"]:
        spelled = "".join(letters[byte] for byte in word.encode())
        for end in range(2, len(spelled) + 1):
            merges[f"{spelled[: end - 1]} {spelled[end - 1]}"] = None
            if spelled[:end] not in tokens:
                tokens.append(spelled[:end])
    kinds = [1] * len(tokens)
    tokens += BPE_SPECIAL
    kinds += [3] * len(BPE_SPECIAL)
    while len(tokens) < vocabulary:
        tokens.append(f"filler{len(tokens)}")
        kinds.append(1)
    return tokens, list(merges), kinds


def write(
    path: Path,
    quant: str = "F32",
    shape: Shape = Shape(),
    tokenizer: str = "spm",
    template: str | None = None,
    seed: int = 0,
) -> Path:
    """Writes a model of random weights, matrices in `quant`, and returns its path."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), shape.architecture)
    writer.add_name("random")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    add_tokenizer(writer, tokenizer, shape.vocabulary)
    if template is not None:
        writer.add_chat_template(template)
    kv_width = shape.width // shape.heads * shape.kv_heads

    def matrix(name: str, rows: int, columns: int, scale: float = 1.0, kind: str = quant) -> None:
        values = random.standard_normal((rows, columns), dtype=np.float32)
        values *= np.float32(scale / columns**0.5)
        add_matrix(writer, name, values, kind)

    def vector(name: str, length: int, mean: float = 1.0) -> None:
        values = mean + 0.1 * random.standard_normal(length, dtype=np.float32)
        writer.add_tensor(name, values.astype(np.float32))

    # The head of K mixes is Q6_K, as llama.cpp makes them.
    head = "Q6_K" if quant == "Q4_K" else quant
    matrix("token_embd.weight", shape.vocabulary, shape.width, scale=shape.width**0.5)
    for layer in range(shape.layers):
        name = f"blk.{layer}."
        vector(name + "attn_norm.weight", shape.width)
        matrix(name + "attn_q.weight", shape.width, shape.width, 2.0)
        matrix(name + "attn_k.weight", kv_width, shape.width, 2.0)
        matrix(name + "attn_v.weight", kv_width, shape.width)
        if shape.architecture == "qwen2":
            for part, length in [("q", shape.width), ("k", kv_width), ("v", kv_width)]:
                vector(f"{name}attn_{part}.bias", length, mean=0.0)
        matrix(name + "attn_output.weight", shape.width, shape.width)
        vector(name + "ffn_norm.weight", shape.width)
        matrix(name + "ffn_gate.weight", shape.hidden, shape.width)
        matrix(name + "ffn_up.weight", shape.hidden, shape.width)
        matrix(name + "ffn_down.weight", shape.width, shape.hidden)
    vector("output_norm.weight", shape.width)
    matrix("output.weight", shape.vocabulary, shape.width, 4.0, head)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_matrix(writer: gguf.GGUFWriter, name: str, values: Array, kind: str) -> None:
    if kind == "F32":
        writer.add_tensor(name, values)
    elif kind == "F16":
        writer.add_tensor(name, values.astype(np.float16))
    elif kind in {"Q4_K", "Q6_K"}:
        raw = random_k_blocks(values, kind)
        writer.add_tensor(name, raw, raw_dtype=quant_type(kind))
    else:
        writer.add_tensor(
            name, gguf.quants.quantize(values, quant_type(kind)), raw_dtype=quant_type(kind)
        )


def random_k_blocks(values: Array, kind: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """K blocks with random quants, scaled to the size of `values`.

    The package reads these types but does not write them. For a comparison of two readers any
    valid block will do.
    """
    rows, columns = values.shape
    random = np.random.default_rng(abs(int(values[0, 0] * 1e6)))
    size = 144 if kind == "Q4_K" else 210
    blocks = random.integers(0, 256, (rows, columns // 256, size), dtype=np.uint8)
    spread = float(values.std())
    if kind == "Q4_K":
        # 6-bit scales around 32, nibbles around 7.5: the minimum cancels the mean.
        half = np.array([spread / 150, spread / 20], dtype=np.float16).view(np.uint8)
        blocks[..., 0:4] = half
    else:
        half = np.array([spread / 1500], dtype=np.float16).view(np.uint8)
        blocks[..., 208:210] = half
    return blocks.reshape(rows, -1)


def quant_type(kind: str) -> gguf.GGMLQuantizationType:
    return gguf.GGMLQuantizationType.__members__[kind]


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: str, vocabulary: int) -> None:
    if tokenizer == "spm":
        tokens, scores, kinds = spm_tokens(vocabulary)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(tokens)
        writer.add_token_scores(scores)
        writer.add_token_types(kinds)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        return
    tokens, merges, kinds = bpe_tokens(vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokens.index("<|begin_of_text|>"))
    writer.add_eos_token_id(tokens.index("<|end_of_text|>"))
