"""Compiling the engine: by a wasmedge on PATH, once, for this machine's architecture."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import pytest
from image_builders import MODULE, a_compiler, a_plan, an_engine

from kubectl_wasmai.errors import InputError, MissingProgram, WasmaiError
from kubectl_wasmai.image import aot
from kubectl_wasmai.image.aot import compile_engine
from kubectl_wasmai.image.build import build
from kubectl_wasmai.image.engine import Engine, engine_from_file
from kubectl_wasmai.image.inspect import describe_image
from kubectl_wasmai.image.oci import digest_of
from kubectl_wasmai.image.store import Store
from kubectl_wasmai.image.text import image_facts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="nodes run Linux")

HASWELL = "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm avx f16c movbe xsave fma abm bmi1 avx2 bmi2"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {HASWELL}\n")
    monkeypatch.setattr(aot, "CPUINFO", tmp_path / "cpuinfo")
    return engine_from_file(an_engine(tmp_path))


def test_it_compiles_once(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = a_compiler(tmp_path, monkeypatch, r"""printf '\177ELF%s' "$*" > "$4" """)
    target, compiled = compile_engine(engine)
    again = compile_engine(engine)

    assert (target, compiled.compiled) == ("linux/amd64", "WasmEdge 0.14.1 on x86-64-v3")
    assert compiled.path.read_bytes()[:4] == b"\x7fELF"
    assert compiled.module == digest_of(MODULE) != compiled.digest
    assert again == (target, compiled)
    (call,) = called.read_text().splitlines()
    assert call.startswith("compile --generic-binary ")


def test_another_processor_needs_code_of_its_own(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = a_compiler(tmp_path, monkeypatch, r"""printf '\177ELF' > "$4" """)
    _, first = compile_engine(engine)
    (tmp_path / "cpuinfo").write_text("flags\t\t: fpu sse sse2\n")
    _, second = compile_engine(engine)

    assert second.compiled == "WasmEdge 0.14.1 on x86-64-v1"
    assert first.path != second.path
    assert len(called.read_text().splitlines()) == 2


def test_the_image_says_for_what_its_engine_was_compiled(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_compiler(tmp_path, monkeypatch, r"""printf '\177ELF' > "$4" """)
    target, compiled = compile_engine(engine)
    plan, store = a_plan(tmp_path), Store(tmp_path / "store")
    plan = plan.__class__(plan.reference, plan.model, {**plan.engines, target: compiled})
    report = describe_image("x", build(plan, store), store, "local store")

    assert report["engine"]["compiled"] == {"linux/amd64": "WasmEdge 0.14.1 on x86-64-v3"}
    assert report["engine"]["digest"] == digest_of(MODULE)
    amd64, arm64 = report["platforms"]
    assert amd64["layers"][0]["digest"] != arm64["layers"][0]["digest"]
    assert amd64["entrypoint"] == arm64["entrypoint"] == ["/engine.wasm"]
    text = json.dumps(image_facts(report))
    assert "linux/amd64 for WasmEdge 0.14.1 on x86-64-v3: no other version, no lesser" in text


@pytest.mark.parametrize("work", ["exit 1", "true", "echo text > $4", "echo broken >&2; exit 9"])
def test_a_compiler_in_trouble_leaves_nothing_behind(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    a_compiler(tmp_path, monkeypatch, work)
    with pytest.raises(WasmaiError, match="could not compile"):
        compile_engine(engine)

    assert list((tmp_path / "cache").rglob("*.so")) == []


def test_without_wasmedge_it_is_said_how_to_get_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="wasmedge is not on PATH"):
        compile_engine(engine)


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_other_machines_cannot_compile_for_a_node(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(InputError, match="cannot compile for a Linux node"):
        compile_engine(engine)
