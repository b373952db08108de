"""The engine's modules that ship are the ones that their description and the sources speak of."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from kubectl_wasmai import engine

if TYPE_CHECKING:
    from types import ModuleType

BUILD = Path(__file__).parents[2] / "engine" / "build.py"


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("engine_build", BUILD)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_modules_have_the_digests_and_sizes_in_their_description() -> None:
    described = engine.manifest().modules

    for each in get_args(engine.Format):
        content = engine.module_path(each).read_bytes()
        module = described[engine.module_name(each)]
        assert module.sha256 == hashlib.sha256(content).hexdigest()
        assert module.bytes == len(content)


def test_the_modules_were_made_of_the_sources_as_they_are(build: ModuleType) -> None:
    assert engine.manifest().sources == build.sources_digest(), "run: make engine"
    assert engine.manifest().version == build.engine_version()
    assert engine.manifest().toolchain.startswith(f"rustc {build.channel()} ")


def test_the_bill_of_materials_is_of_these_modules(build: ModuleType) -> None:
    document = json.loads(engine.sbom_path().read_bytes())

    files = document["metadata"]["component"]["components"]
    listed = {each["name"]: each["hashes"][0]["content"] for each in files}
    assert listed == {name: module.sha256 for name, module in engine.manifest().modules.items()}
    locked = build.lock_checksums()
    for each in document["components"]:
        if "hashes" in each:
            assert each["hashes"][0]["content"] == locked[each["name"], each["version"]]


def test_what_is_fuzzed_is_made_of_the_crates_that_ship(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = build.lock_checksums()
    monkeypatch.setattr(build, "ENGINE", build.ENGINE / "fuzz")
    others = build.lock_checksums().items() - shipped.items()

    assert {name for (name, _), _ in others} == {"arbitrary", "jobserver", "libfuzzer-sys"}


@pytest.mark.parametrize("changed", ["src/main.rs", "Cargo.lock", "rust-toolchain.toml"])
def test_any_change_to_what_decides_the_bytes_changes_the_digest(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    copy = tmp_path / "engine"
    shutil.copytree(build.ENGINE, copy, ignore=shutil.ignore_patterns("target", "__pycache__"))
    monkeypatch.setattr(build, "ENGINE", copy)
    assert build.sources_digest() == engine.manifest().sources

    with (copy / changed).open("a") as file:
        file.write("\n")

    assert build.sources_digest() != engine.manifest().sources


def test_modules_of_these_sources_are_checked_without_a_compiler(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")

    assert build.main(["--check"]) == 0
    assert "nothing to build" in capsys.readouterr().out


def test_other_modules_are_no_longer_believed(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    package = tmp_path / "package"
    shutil.copytree(build.PACKAGE, package)
    with (package / "engine-llama.wasm").open("ab") as file:
        file.write(b"\0")
    monkeypatch.setattr(build, "PACKAGE", package)
    monkeypatch.setenv("PATH", "")

    assert build.main(["--check"]) == 1
    assert "Rust with the target wasm32-wasip1 is needed" in capsys.readouterr().err
