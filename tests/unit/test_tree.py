"""What is committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Compiled modules, so that a machine without Rust can run them.
LARGE = {"kubectl_wasmai/engine/engine-onnx.wasm"}


def test_no_output_of_a_program_is_committed_by_mistake() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")

    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert {name for name in files if (ROOT / name).stat().st_size > 1_000_000} == LARGE
