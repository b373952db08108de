"""``kubectl wasmai image``: what people type, without a registry."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import onnx_builders
import pytest
from gguf_builders import gguf
from image_builders import NAME, a_compiler, a_model, an_engine

from kubectl_wasmai.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

Image = Callable[..., int]


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    monkeypatch.setenv("WASMAI_IMAGES", str(tmp_path / "store"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def call(*words: object) -> int:
        return run(["image", *map(str, words)])

    return call


@pytest.fixture
def built(image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The digest of an image in the local store."""
    engine = an_engine(tmp_path)
    assert image("build", a_model(tmp_path), "-t", NAME, "--engine", engine, "-q") == 0
    return capsys.readouterr().out.strip().partition("@")[2]


def test_build_shows_the_model_and_what_to_do_next(
    image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image("build", a_model(tmp_path), "-t", NAME, "--engine", an_engine(tmp_path)) == 0

    shown = capsys.readouterr()
    assert "x float32[batch,3]" in shown.out
    assert f"kubectl wasmai image push {NAME}" in shown.out
    assert "operators were not compared" in shown.err
    assert "WasmEdge will interpret the engine" in shown.err


@pytest.mark.skipif(platform.system() != "Linux", reason="nodes run Linux")
def test_build_says_where_a_compiled_engine_runs(
    image: Image,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_compiler(tmp_path, monkeypatch, r"""printf '\177ELF' > "$4" """)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("build", a_model(tmp_path), "-t", NAME, "--engine", an_engine(tmp_path), "--aot")
    assert image(*words) == 0

    shown = capsys.readouterr()
    assert "for WasmEdge 0.14.1 on " in shown.out
    assert "no other version, no lesser processor" in shown.out
    assert "will interpret" not in shown.err


def test_operators_that_the_engine_lacks_are_named_before_anything_is_built(
    image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [(1, onnx_builders.node(each)) for each in ("Relu", "RoiAlign", "Col2Im")]
    ends = [
        (number, onnx_builders.value(name, shape=[3])) for number, name in [(11, "x"), (12, "y")]
    ]
    graph = onnx_builders.graph(*nodes, *ends)
    (tmp_path / "m.onnx").write_bytes(onnx_builders.model(graph))

    assert image("build", tmp_path / "m.onnx", "-t", NAME) == 1

    shown = capsys.readouterr()
    assert "lacks operator Col2Im, RoiAlign" in shown.err
    assert "onnxsim" in shown.err
    assert image("ls") == 0
    assert capsys.readouterr().out == ""


def test_ls_rm_and_ls_again(image: Image, built: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert image("ls") == 0
    (headers, row) = capsys.readouterr().out.splitlines()
    assert headers.split() == ["NAME", "DIGEST", "MODEL", "ENGINE", "SIZE"]
    assert row.split()[:4] == [NAME, built[:19], "onnx", "custom"]
    assert image("rm", NAME) == 0
    assert capsys.readouterr().out == f'image "{NAME}" deleted\n'
    assert image("ls") == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith("No images in")) == ("", True)
    assert image("rm", NAME) == 1


def test_inspect_tells_the_same_of_the_store_and_of_a_file(
    image: Image, built: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tar = tmp_path / "x.tar"
    assert image("save", NAME, "-o", tar) == 0
    capsys.readouterr()
    reports = []
    for what in (NAME, f"registry.example.com/team/mnist@{built}", tar):
        assert image("inspect", what, "-o", "json") == 0
        reports.append(json.loads(capsys.readouterr().out))

    assert {one["digest"] for one in reports} == {built}
    assert reports[0]["platforms"] == reports[2]["platforms"]
    assert reports[0]["model"]["inputs"][0]["shape"] == ["batch", 3]
    assert reports[0]["attached"] is None


@pytest.mark.usefixtures("built")
def test_inspect_for_people_says_what_is_not_known(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image("inspect", NAME) == 0

    shown = capsys.readouterr().out
    assert "linux/amd64, linux/arm64" in shown
    assert "65532:65532" in shown
    assert "unknown: the registry was not asked" in shown


def test_inspect_shows_a_model_file(
    image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf({"general.architecture": "llama", "llama.context_length": 64}))
    assert image("inspect", path) == 0

    assert "GGUF llama F32, 64 parameters" in capsys.readouterr().out


def test_load_brings_an_archive_into_another_store(
    image: Image,
    built: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert image("save", NAME, "-o", tmp_path / "x.tar") == 0
    monkeypatch.setenv("WASMAI_IMAGES", str(tmp_path / "other"))
    assert image("load", tmp_path / "x.tar") == 0
    assert f"loaded {NAME} ({built})" in capsys.readouterr().out
    assert image("inspect", NAME) == 0


def test_build_into_a_file_leaves_the_store_alone(image: Image, tmp_path: Path) -> None:
    tar = tmp_path / "x.tar"
    assert image("build", a_model(tmp_path), "-t", NAME, "--model-only", "-o", tar) == 0

    assert tar.exists()
    assert not (tmp_path / "store").exists()


@pytest.mark.usefixtures("built")
def test_sbom_is_printed_in_both_forms(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    for form, key in (("spdx", "spdxVersion"), ("cyclonedx", "bomFormat")):
        assert image("sbom", NAME, "-o", form) == 0
        assert key in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["build", "absent.onnx", "-t", "a"], 1, "cannot read the model absent.onnx"),
        (["build", "MODEL", "-t", "A"], 1, "capital letters"),
        (["build", "MODEL", "-t", "a", "--engine", "MODEL"], 1, "no WebAssembly module"),
        (["build", "MODEL", "-t", "a", "--engine", "x", "--model-only"], 2, "has no engine"),
        (["build", "MODEL", "-t", "a", "--sample", "x"], 2, "only with --quantize"),
        (["build", "MODEL", "-t", "a", "--name", "a/b"], 2, "stands in URLs"),
        (["build", "MODEL", "-t", "a", "--label", "x"], 2, "expected KEY=VALUE"),
        (["build", "GGUF", "-t", "a", "--quantize", "int8"], 1, "llama-quantize"),
        (["push", "absent:1"], 1, "has no image docker.io/library/absent:1"),
        (["save", "absent:1", "-o", "x.tar"], 1, "has no image"),
        (["load", "MODEL"], 1, "no usable archive"),
        (["verify", "a"], 2, "say by whom"),
        (["attest", "a", "--type", "vuln"], 2, "needs a --predicate"),
    ],
)
def test_mistakes_are_told_with_a_hint(
    image: Image,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    told: str,
) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf())
    files = {"MODEL": str(a_model(tmp_path)), "GGUF": str(tmp_path / "m.gguf")}
    assert image(*(files.get(word, word) for word in words)) == code

    assert told in capsys.readouterr().err


@pytest.mark.parametrize("words", [["sign", "a"], ["verify", "a", "--key", "k"], ["attest", "a"]])
def test_without_cosign_it_is_said_how_to_get_it(
    image: Image,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert image(*words) == 1

    shown = capsys.readouterr().err
    assert "cosign is not on PATH" in shown
    assert "brew install cosign" in shown


def test_without_onnxruntime_it_is_said_how_to_get_it(
    image: Image,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime.quantization", None)
    words = ("-t", NAME, "--model-only", "--quantize", "int8")
    assert image("build", a_model(tmp_path), *words) == 1

    assert "pip install onnxruntime onnx" in capsys.readouterr().err


def test_a_model_that_is_too_large_is_refused_before_anything_is_written(
    image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "big.onnx"
    path.write_bytes(onnx_builders.small_model(external="w"))
    with (tmp_path / "w").open("wb") as weights:
        weights.truncate(5 << 30)
    engine = an_engine(tmp_path)
    assert image("build", path, "-t", NAME, "--engine", engine) == 1

    assert "ends at 4 GiB" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()
