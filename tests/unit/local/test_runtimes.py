"""Which runtime is taken, and what is said where there is none."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from image_builders import an_engine

from kubectl_wasmai.errors import InputError, MissingProgram
from kubectl_wasmai.image.engine import engine_from_file
from kubectl_wasmai.local import runtimes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that are to be found here; none at first."""
    names: set[str] = set()
    find, which = importlib.util.find_spec, shutil.which

    def find_spec(name: str) -> Any:
        return find(name) if name != "wasmtime" or name in names else None

    def on_path(name: str) -> str | None:
        return f"/bin/{name}" if name in names else which(name) if name != "wasmedge" else None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(shutil, "which", on_path)
    return names


def test_without_a_runtime_both_ways_are_named(installed: set[str]) -> None:
    assert not installed
    with pytest.raises(MissingProgram) as refused:
        runtimes.choose(None)
    assert f"wasmtime is not installed for {sys.executable}" in refused.value.message
    assert "wasmedge" in refused.value.message
    assert "pip install 'kubectl-wasmai[local]'" in refused.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="wasmedge is used on Linux alone")
def test_wasmtime_comes_first_and_either_may_be_asked_for(installed: set[str]) -> None:
    installed.add("wasmedge")
    assert runtimes.choose(None) == "wasmedge"
    with pytest.raises(MissingProgram, match="wasmtime is not installed"):
        runtimes.choose("wasmtime")
    installed.add("wasmtime")
    assert (runtimes.choose(None), runtimes.choose("wasmedge")) == ("wasmtime", "wasmedge")
    installed.remove("wasmedge")
    with pytest.raises(MissingProgram, match="not on PATH") as refused:
        runtimes.choose("wasmedge")
    assert "apt install wasmedge" in refused.value.hint


def test_a_folder_that_wasmedge_cannot_be_given_is_refused(tmp_path: Path) -> None:
    engine = engine_from_file(an_engine(tmp_path))
    with pytest.raises(InputError, match="':' ends a path"):
        runtimes.prepare("wasmedge", engine, tmp_path / "a:b")


def test_the_folder_of_the_model_is_part_of_the_command(tmp_path: Path) -> None:
    engine = engine_from_file(an_engine(tmp_path))
    runtime = runtimes.prepare("wasmtime", engine, tmp_path)

    command = runtime.command(tmp_path / "{odd}", ["--model", "m"])

    assert command[:3] == [sys.executable, "-m", "kubectl_wasmai.local.host"]
    assert command[3:] == [
        str(engine.path), str(tmp_path / "{odd}"), "/models", "--model", "m"
    ]  # fmt: skip
