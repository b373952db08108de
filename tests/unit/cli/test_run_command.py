"""``kubectl wasmai run``: what is refused before anything runs."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from gguf_builders import gguf
from image_builders import a_model

from kubectl_wasmai.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


def test_an_onnx_model_without_a_request_says_what_it_takes(
    tmp_path: Path, capsys: Capture
) -> None:
    assert run(["run", str(a_model(tmp_path))]) == 2
    shown = capsys.readouterr().err
    assert "x float32[batch,3]" in shown
    assert "--input FILE or --serve PORT" in shown


def test_two_ways_to_ask_at_once_are_refused(tmp_path: Path, capsys: Capture) -> None:
    model = str(a_model(tmp_path))
    assert run(["run", model, "--serve", "8080", "--input", model]) == 2
    assert "give one of them" in capsys.readouterr().err


@pytest.mark.parametrize("body", ["{", "[1]", ""])
def test_a_request_that_is_no_json_object_is_refused(
    tmp_path: Path, capsys: Capture, body: str
) -> None:
    (tmp_path / "x.json").write_text(body)
    assert run(["run", str(a_model(tmp_path)), "--input", str(tmp_path / "x.json")]) == 1
    shown = capsys.readouterr().err
    assert "--input is no JSON" in shown
    assert "hint: give the body" in shown


def test_a_request_that_is_not_there_is_named(tmp_path: Path, capsys: Capture) -> None:
    assert run(["run", str(a_model(tmp_path)), "--input", str(tmp_path / "absent.json")]) == 1
    assert "absent.json: No such file" in capsys.readouterr().err


def test_without_a_runtime_it_says_what_to_type(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def find_spec(name: str) -> Any:
        return None if name == "wasmtime" else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert run(["run", str(a_model(tmp_path)), "--serve", "8080"]) == 1
    shown = capsys.readouterr().err
    assert "nothing here runs WebAssembly" in shown
    assert "pip install 'kubectl-wasmai[local]'" in shown


def test_what_the_engine_cannot_run_is_refused_before_it_starts(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "bert.gguf").write_bytes(gguf({"general.architecture": "bert"}))
    assert run(["run", str(tmp_path / "bert.gguf")]) == 1
    assert "lacks architecture bert" in capsys.readouterr().err


def test_a_name_without_the_format_is_refused_with_the_reason(
    tmp_path: Path, capsys: Capture
) -> None:
    model = a_model(tmp_path).rename(tmp_path / "model.bin")
    assert run(["run", str(model), "--serve", "8080"]) == 1
    shown = capsys.readouterr().err
    assert "ends in .onnx" in shown
    assert "hint: rename it: model.onnx" in shown
