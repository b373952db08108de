#!/usr/bin/env python3
"""Writes the seeds that are no text, and the dictionary of a GGUF header's words.

Needs the packages `gguf` and `onnx`, which `make dev` installs. The weights of a GGUF seed are left
away: the target puts zeros in their place.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
SPM = ["<unk>", "<s>", "</s>", "a", "b", "ab", "\u2581", "<0x41>"]
BPE = ["a", "b", "Ġ", "ab", "Ġa", "<|im_start|>", "<|im_end|>", "[x]"]
KINDS = {
    "llama-f32": ("llama", "F32", 8),
    "qwen2-f16": ("qwen2", "F16", 8),
    "llama-q8_0": ("llama", "Q8_0", 32),
    "llama-q4_0": ("llama", "Q4_0", 32),
    "llama-k": ("llama", "Q4_K", 256),
}
MORE_NAMES = (
    "general.alignment", "linear", "llama.attention.key_length", "llama.attention.value_length",
    "llama.expert_count", "llama.rope.scaling.factor", "llama.rope.scaling.type", "mistral",
    "rope_freqs.weight", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix",
)  # fmt: skip


def main() -> None:
    names = set(MORE_NAMES)
    for name, (architecture, kind, width) in KINDS.items():
        names |= write_gguf(HERE / "seeds/gguf" / name, architecture, kind, width)
    (HERE / "gguf.dict").write_bytes(words(names))
    write_onnx(HERE / "seeds/onnx/if")


def write_gguf(path: Path, architecture: str, kind: str, width: int) -> set[str]:
    """The header of a model of one layer, eight tokens and two heads; the names in it."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(width)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_context_length(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // 2)
    writer.add_rope_freq_base(10000.0)
    add_tokenizer(writer, architecture)
    add_tensors(writer, architecture, kind, width)
    names = {*writer.kv_data[0], *writer.tensors[0]}
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    return names


def add_tokenizer(writer: gguf.GGUFWriter, architecture: str) -> None:
    if architecture == "qwen2":
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(BPE)
        writer.add_token_types([1, 1, 1, 1, 1, 3, 3, 4])
        writer.add_token_merges(["a b", "Ġ a"])
        writer.add_eos_token_id(6)
        writer.add_chat_template("{{ messages }}<|im_start|>")
    else:
        writer.add_tokenizer_model("llama")
        writer.add_token_list(SPM)
        writer.add_token_scores([-float(rank) for rank in range(len(SPM))])
        writer.add_token_types([2, 3, 3, 1, 1, 1, 1, 6])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)


def add_tensors(writer: gguf.GGUFWriter, architecture: str, kind: str, width: int) -> None:
    half = width // 2
    matrices = {
        "token_embd": 8, "blk.0.attn_q": width, "blk.0.attn_k": half, "blk.0.attn_v": half,
        "blk.0.attn_output": width, "blk.0.ffn_gate": width, "blk.0.ffn_up": width,
        "blk.0.ffn_down": width,
    }  # fmt: skip
    for name, rows in matrices.items():
        add_tensor(writer, f"{name}.weight", (rows, width), kind)
    # The head of a Q4_K mix is Q6_K.
    add_tensor(writer, "output.weight", (8, width), "Q6_K" if kind == "Q4_K" else kind)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        add_tensor(writer, f"{name}.weight", (width,), "F32")
    if architecture == "qwen2":
        add_tensor(writer, "blk.0.attn_q.bias", (width,), "F32")


def add_tensor(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: str) -> None:
    quant = gguf.GGMLQuantizationType[kind]
    size = int(np.prod(gguf.quant_shape_to_byte_shape(shape, quant)))
    dtype = {"F32": np.float32, "F16": np.float16}.get(kind)
    if dtype:
        writer.add_tensor_info(name, shape, np.dtype(dtype), size)
    else:
        raw = gguf.quant_shape_to_byte_shape(shape, quant)
        writer.add_tensor_info(name, raw, np.dtype(np.uint8), size, raw_dtype=quant)


def words(names: set[str]) -> bytes:
    """A dictionary for libFuzzer: each name with its length before it, as a header has it."""
    lines = []
    for name in sorted(names):
        raw = len(name).to_bytes(8, "little") + name.encode()
        lines.append('"' + "".join(f"\\x{byte:02x}" for byte in raw[:8]) + name + '"\n')
    return "".join(lines).encode()


def write_onnx(path: Path) -> None:
    """One of each that a graph can hold: weights of both forms, subgraphs, a free batch."""
    relu, same = (helper.make_node(kind, ["h"], [kind]) for kind in ("Relu", "Identity"))
    inner = [
        helper.make_graph([node], node.op_type, [], [info(node.op_type, "N", 4)])
        for node in (relu, same)
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["h"]),
        helper.make_node("If", ["s"], ["y"], then_branch=inner[0], else_branch=inner[1]),
    ]
    weights = [
        numpy_helper.from_array(np.eye(4, dtype=np.float32), "w"),
        helper.make_tensor("b", TensorProto.FLOAT, [4], [1, 2, 3, 4]),
        numpy_helper.from_array(np.array(1, dtype=np.bool_), "s"),
    ]
    graph = helper.make_graph(nodes, "seed", [info("x", "N", 4)], [info("y", "N", 4)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    path.write_bytes(model.SerializeToString())


def info(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


if __name__ == "__main__":
    main()
