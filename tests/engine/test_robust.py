"""Damaged, foreign and hostile files end in a message and an exit code, never in a trap."""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING

import pytest
from wasmengine import gguf_files

if TYPE_CHECKING:
    from pathlib import Path

    from wasmengine.running import Engine

PROMPT = json.dumps({"prompt": "hello", "max_tokens": 1})


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A model in a folder of its own, which tests may spoil."""
    return gguf_files.write(tmp_path / "m.gguf", "Q8_0", gguf_files.Shape(layers=1))


def refusal(engine: Engine, path: Path, *arguments: str) -> dict[str, str]:
    """The error that the engine ends with, having checked that it ends as it should."""
    engine = type(engine)(engine.module, path.parent)
    done = engine.run("--model", f"/{path.name}", *arguments, "--infer", "-", stdin=PROMPT)
    last = json.loads(done.stderr.splitlines()[-1])
    assert done.returncode == 1, done.stderr
    assert last["event"] == "cannot start"
    assert last["hint"]
    assert isinstance(last, dict)
    return last


def test_a_file_cut_short_says_so(llama: Engine, tiny: Path) -> None:
    whole = tiny.read_bytes()
    for keep in [0, 3, 4, 23, 24, 100, 5000, len(whole) // 2, len(whole) - 1]:
        tiny.write_bytes(whole[:keep])
        message = refusal(llama, tiny)["message"]
        assert "GGUF" in message or "file ends" in message or "cut short" in message, message


def test_another_format_says_so(llama: Engine, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"PK\x03\x04" + b"\0" * 1000)
    assert "not a GGUF file" in refusal(llama, tmp_path / "x.gguf")["message"]
    (tmp_path / "x.onnx").write_bytes(b"\x08\x07")
    assert "does not run ONNX" in refusal(llama, tmp_path / "x.onnx")["message"]


def test_absurd_sizes_are_not_believed(llama: Engine, tiny: Path) -> None:
    whole = tiny.read_bytes()
    huge = struct.pack("<Q", 2**63)
    for at in (8, 16):
        tiny.write_bytes(whole[:at] + huge + whole[at + 8 :])
        assert "too many" in refusal(llama, tiny)["message"]
    key = b"llama.embedding_length" + struct.pack("<I", 4)
    at = whole.index(key) + len(key)
    for value in (0, 7, 2**32 - 1):
        tiny.write_bytes(whole[:at] + struct.pack("<I", value) + whole[at + 4 :])
        assert refusal(llama, tiny)["message"]


def test_types_that_do_not_run_are_named(llama: Engine, tiny: Path) -> None:
    whole = tiny.read_bytes()
    name = b"blk.0.attn_q.weight" + struct.pack("<IQQ", 2, 256, 256)
    at = whole.index(name) + len(name)
    for number, word in [(13, "Q5_K"), (30, "BF16"), (99, "unknown type 99")]:
        tiny.write_bytes(whole[:at] + struct.pack("<I", number) + whole[at + 4 :])
        assert word in refusal(llama, tiny)["message"]


def test_a_context_too_long_for_the_memory_is_refused(llama: Engine, tmp_path: Path) -> None:
    shape = gguf_files.Shape(layers=1, context=16_000_000)
    path = gguf_files.write(tmp_path / "long.gguf", "Q8_0", shape)
    message = refusal(llama, path, "--context", "16000000")["message"]
    assert "32-bit memory" in message


def test_random_damage_never_traps(llama: Engine, tiny: Path) -> None:
    whole = tiny.read_bytes()
    draw = random.Random(7)
    engine = type(llama)(llama.module, tiny.parent)
    for _ in range(12):
        spoilt = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            spoilt[draw.randrange(16_000)] = draw.randrange(256)
        tiny.write_bytes(spoilt)
        done = engine.run("--model", "/m.gguf", "--infer", "-", stdin=PROMPT)
        assert done.returncode in {0, 1}, done.stderr


def test_a_missing_file_and_wrong_usage_have_their_codes(llama: Engine) -> None:
    for arguments, code in [
        (["--model", "/nothing.gguf"], 1),
        (["--model", "/F32.gguf", "--infer", "/nothing.json"], 1),
        (["--frobnicate"], 2),
        (["--model", "/F32.txt"], 2),
        ([], 2),
        (["--help"], 0),
        (["--version"], 0),
    ]:
        done = llama.run(*arguments)
        assert done.returncode == code, (arguments, done.stderr)


def test_the_timeline_has_its_stages_in_order(llama: Engine) -> None:
    server = llama.serve("--model", "/F32.gguf")
    events = [line["event"] for line in server.log]
    assert events == ["start", "model mapped", "first inference", "listening"]
    times = [line["since_start_ms"] for line in server.log]
    assert times == sorted(times)
    assert server.log[0]["execution"] == "compiled"


def test_a_model_is_described_from_its_header(llama: Engine) -> None:
    done = llama.run("--model", "/Q4_K.gguf", "--inspect")
    (description,) = json.loads(done.stdout)
    assert description["format"] == "gguf"
    assert description["architecture"] == "llama"
    assert set(description["tensorBytesByType"]) == {"F32", "Q4_K", "Q6_K"}
    assert description["trainedContext"] == 512
