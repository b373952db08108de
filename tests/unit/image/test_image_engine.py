"""Which engine runs a model, and which model it cannot run: said before anything is built."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from image_builders import MODULE, a_model, an_engine

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image import engine as engines
from kubectl_wasmai.image.engine import (
    Abilities,
    Engine,
    engine_from_file,
    known_crates,
    require_runnable,
    shipped_engine,
)
from kubectl_wasmai.image.model import Model, ModelFile, read_model
from kubectl_wasmai.image.oci import digest_of

MODULES = {"onnx": MODULE + b"onnx", "gguf": MODULE + b"gguf"}


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine package, as ``kubectl_wasmai.engine`` is one."""
    crate = {
        "type": "library",
        "name": "httparse",
        "version": "1.10.1",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
    }
    for name, data in MODULES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "sbom").write_text(json.dumps({"components": [crate]}))
    modules = {name: SimpleNamespace(sha256=digest_of(data)[7:]) for name, data in MODULES.items()}
    package = SimpleNamespace(
        module_path=lambda format_: tmp_path / format_,
        manifest=lambda: SimpleNamespace(version="1.2.3", modules=modules),
        operators=lambda: frozenset({"Mul"}),
        sbom_path=lambda: tmp_path / "sbom",
    )
    monkeypatch.setattr(engines, "_package", lambda: package)


@pytest.mark.usefixtures("shipped")
def test_each_format_has_its_own_module() -> None:
    for format_, data in MODULES.items():
        engine = shipped_engine(format_)
        assert (engine.digest, engine.version) == (digest_of(data), "1.2.3")
    assert shipped_engine("onnx").can.operators == frozenset({"Mul"})
    assert "Q4_K" in (shipped_engine("gguf").can.tensor_types or ())


def test_without_an_engine_the_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_package", lambda: None)
    with pytest.raises(InputError, match="no engine of its own") as refused:
        shipped_engine("onnx")
    assert "--engine FILE" in refused.value.hint
    assert known_crates("sha256:0") is None


@pytest.mark.usefixtures("shipped")
def test_crates_are_known_of_the_own_engine_alone() -> None:
    crates = known_crates(digest_of(MODULES["onnx"]))
    assert crates
    assert [(each.name, each.version, each.license) for each in crates] == [
        ("httparse", "1.10.1", "MIT OR Apache-2.0")
    ]
    assert known_crates(digest_of(MODULE)) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF", "no WebAssembly module"),
        (b"", "no WebAssembly module"),
        (b"\0asm\x0d\0\x01\0", "a WebAssembly component"),
    ],
)
def test_what_is_no_module_is_no_engine(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "e.wasm").write_bytes(data)
    with pytest.raises(InputError, match=words):
        engine_from_file(tmp_path / "e.wasm")


def test_an_engine_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        engine_from_file(tmp_path / "absent.wasm")


def described(**able: list[str]) -> Engine:
    return Engine(
        Path("absent"), "1.2.3", Abilities(**{key: frozenset(each) for key, each in able.items()})
    )


def gguf(**card: object) -> Model:
    model = Model("gguf", (), {"format": "gguf", **card}, tensor_types=frozenset({"Q8_0", "F32"}))
    return replace(model, files=files("m.gguf"))


def files(*names: str, size: int = 1) -> tuple[ModelFile, ...]:
    return tuple(ModelFile(Path(name), name, size) for name in names)


def test_operators_that_the_engine_lacks_are_named(tmp_path: Path) -> None:
    model = read_model(a_model(tmp_path))

    assert require_runnable(model, described(operators=["Mul"])) == []
    with pytest.raises(InputError, match=r"engine 1\.2\.3 lacks operator Mul"):
        require_runnable(model, described(operators=["Add"]))


def test_operators_of_other_domains_go_by_their_names(tmp_path: Path) -> None:
    model = replace(read_model(a_model(tmp_path)), operators=frozenset({"ai.onnx.ml.Scaler"}))

    assert require_runnable(model, described(operators=["Scaler"])) == []


def test_a_tensor_type_or_architecture_that_the_engine_lacks_is_named() -> None:
    with pytest.raises(InputError, match="tensor type F32"):
        require_runnable(gguf(), described(tensor_types=["Q8_0"]))
    with pytest.raises(InputError, match="architecture bert") as refused:
        require_runnable(gguf(architecture="bert"), described(architectures=["llama"]))
    assert "ggml plugin" in refused.value.hint


def test_what_was_not_compared_is_said(tmp_path: Path) -> None:
    engine = engine_from_file(an_engine(tmp_path))

    (warning,) = require_runnable(read_model(a_model(tmp_path)), engine)
    assert "not compared" in warning


def test_a_model_larger_than_the_memory_of_a_module_is_refused_with_the_reason() -> None:
    large = replace(gguf(), files=files("big.gguf", size=4 << 30))

    with pytest.raises(InputError, match="ends at 4 GiB") as refused:
        require_runnable(large, described())
    assert "--model-only" in refused.value.hint


def test_a_large_model_is_warned_about() -> None:
    (warning,) = require_runnable(replace(gguf(), files=files("m.gguf", size=2 << 30)), described())
    assert "2.0 GiB" in warning


def test_a_model_in_parts_must_be_joined_first() -> None:
    with pytest.raises(InputError, match="in 2 parts") as refused:
        require_runnable(replace(gguf(), files=files("a.gguf", "b.gguf")), described())
    assert "llama-gguf-split --merge" in refused.value.hint
