"""The Llama forward pass in numpy, from the published definition: what the engine must agree with.

Reads with the `gguf` package, multiplies in double precision, rounds inputs to 8 bits where
llama.cpp does, so that quantised models agree token for token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from .gguf_files import byte_letters

if TYPE_CHECKING:
    from pathlib import Path

# numpy's own operators give Any for most of this.
Array = Any


class Model:
    """One file. `logits(tokens)` is the row after each token."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(str(path))
        self.fields = reader.fields
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        self.architecture = self.field("general.architecture")
        self.weights = {
            name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)
            for name, tensor in self.tensors.items()
        }

    def field(self, name: str) -> Any:
        return self.fields[name].contents()

    def number(self, name: str) -> Any:
        return self.field(f"{self.architecture}.{name}")

    def multiply(self, name: str, inputs: Array) -> Array:
        kind = self.tensors[name].tensor_type.name
        return rounded(inputs, kind) @ self.weights[name].T

    def logits(self, tokens: list[int]) -> Array:
        return self.multiply(self.head(), self.states(tokens))

    def head(self) -> str:
        return "output.weight" if "output.weight" in self.weights else "token_embd.weight"

    def embedding(self, tokens: list[int]) -> Array:
        mean = self.states(tokens).mean(axis=0)
        return mean / np.linalg.norm(mean)

    def greedy(self, tokens: list[int], count: int) -> list[int]:
        found: list[int] = []
        for _ in range(count):
            found.append(int(self.logits([*tokens, *found])[-1].argmax()))
        return found

    def text(self, tokens: list[int]) -> str:
        """The bytes that tokens stand for, up to the token of the end; control tokens have none."""
        vocabulary = self.field("tokenizer.ggml.tokens")
        kinds = self.field("tokenizer.ggml.token_type")
        letters = {letter: byte for byte, letter in enumerate(byte_letters())}
        bpe = self.field("tokenizer.ggml.model") == "gpt2"
        raw = b""
        for token in tokens:
            piece = vocabulary[token]
            if kinds[token] == 6:
                raw += bytes([int(piece[3:5], 16)])
            elif kinds[token] == 1 and bpe:
                raw += bytes(letters[letter] for letter in piece)
            elif kinds[token] == 1:
                raw += piece.replace("\u2581", " ").encode()
            elif token == self.field("tokenizer.ggml.eos_token_id"):
                break
        return raw.decode(errors="replace")

    def states(self, tokens: list[int]) -> Array:
        """The normalised last states, a row a token."""
        x = self.weights["token_embd.weight"][tokens]
        for layer in range(self.number("block_count")):
            x = x + self.attention(layer, self.norm(x, f"blk.{layer}.attn_norm.weight"))
            h = self.norm(x, f"blk.{layer}.ffn_norm.weight")
            gate = self.multiply(f"blk.{layer}.ffn_gate.weight", h)
            up = self.multiply(f"blk.{layer}.ffn_up.weight", h)
            hidden = gate / (1 + np.exp(-gate)) * up
            x = x + self.multiply(f"blk.{layer}.ffn_down.weight", hidden)
        return self.norm(x, "output_norm.weight")

    def norm(self, x: Array, name: str) -> Array:
        epsilon = self.number("attention.layer_norm_rms_epsilon")
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * self.weights[name]

    def attention(self, layer: int, x: Array) -> Array:
        heads, kv_heads = (
            self.number("attention.head_count"),
            self.number("attention.head_count_kv"),
        )
        width = self.number("embedding_length") // heads

        def project(part: str, count: int) -> Array:
            name = f"blk.{layer}.attn_{part}"
            out = self.multiply(f"{name}.weight", x)
            out = out + self.weights.get(f"{name}.bias", np.float64(0))
            return out.reshape(len(x), count, width)

        q, k, v = project("q", heads), project("k", kv_heads), project("v", kv_heads)
        q, k = self.rope(q), self.rope(k)
        k, v = (np.repeat(each, heads // kv_heads, axis=1) for each in (k, v))
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(width)
        scores += np.triu(np.full((len(x), len(x)), -np.inf), 1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = np.einsum("hij,jhd->ihd", weights, v).reshape(len(x), -1)
        return self.multiply(f"blk.{layer}.attn_output.weight", mixed)

    def rope(self, x: Array) -> Array:
        pairs = x.shape[-1] // 2
        frequencies = self.number("rope.freq_base") ** (-np.arange(pairs) / pairs)
        angles = np.arange(len(x))[:, None, None] * frequencies
        cos, sin = np.cos(angles), np.sin(angles)
        out = np.empty_like(x)
        if self.architecture == "qwen2":
            first, second = slice(0, pairs), slice(pairs, None)
        else:
            first, second = slice(0, None, 2), slice(1, None, 2)
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out


def rounded(inputs: Array, kind: str) -> Array:
    """Inputs as they meet weights of this kind."""
    if kind in {"Q8_0", "Q4_0"}:
        blocks = inputs.reshape(*inputs.shape[:-1], -1, 32)
        scales = np.abs(blocks).max(axis=-1, keepdims=True) / 127
        quants = np.rint(np.divide(blocks, scales, where=scales > 0, out=np.zeros_like(blocks)))
        return (quants * scales.astype(np.float16)).reshape(inputs.shape)
    if kind in {"Q4_K", "Q6_K"}:
        blocks = inputs.reshape(*inputs.shape[:-1], -1, 256)
        scales = np.abs(blocks).max(axis=-1, keepdims=True) / 127
        quants = np.rint(np.divide(blocks, scales, where=scales > 0, out=np.zeros_like(blocks)))
        return (quants * scales).reshape(inputs.shape)
    return inputs
