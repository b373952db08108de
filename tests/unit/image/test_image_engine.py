"""Which engine runs a model, and which model it cannot run: said before anything is built."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from image_builders import MODULE, a_model, an_engine

from kubectl_wasmai.engine import manifest, module_name
from kubectl_wasmai.errors import InputError
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

if TYPE_CHECKING:
    from kubectl_wasmai.engine import Format

SOURCES = Path(__file__).parents[3] / "engine"


@pytest.mark.parametrize("format_", ["onnx", "gguf"])
def test_each_format_has_the_module_that_ships_for_it(format_: Format) -> None:
    engine = shipped_engine(format_)

    (module,) = (
        each.sha256 for name, each in manifest().modules.items() if name == module_name(format_)
    )
    assert (engine.digest, engine.version) == (f"sha256:{module}", manifest().version)
    assert engine_from_file(engine.path).digest == engine.digest


def test_the_onnx_engine_says_which_operators_it_has() -> None:
    assert {"MatMul", "LSTM"} <= (shipped_engine("onnx").can.operators or set())


def test_types_and_architectures_are_those_that_the_engine_reads() -> None:
    can = shipped_engine("gguf").can
    types = (SOURCES / "kernels" / "src" / "types.rs").read_text()
    config = (SOURCES / "src" / "llama" / "config.rs").read_text()

    assert can.tensor_types == frozenset(re.findall(r'Self::\w+ => "(\w+)"', types))
    assert can.architectures == frozenset(re.findall(r'"(\w+)"(?= \|| => Pairing)', config))


def test_crates_are_known_of_the_own_engines_alone() -> None:
    crates = known_crates(shipped_engine("onnx").digest)
    assert crates
    assert {"tract-onnx", "serde_json"} <= {each.name for each in crates}
    assert all(each.version and each.license for each in crates)
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
