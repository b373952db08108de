"""Models, engines and images for tests, small and quickly made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import onnx_builders as build

from kubectl_wasmai.image.build import PLATFORMS, Plan
from kubectl_wasmai.image.build import build as build_image
from kubectl_wasmai.image.engine import engine_from_file
from kubectl_wasmai.image.model import read_model
from kubectl_wasmai.image.reference import Reference, parse_reference
from kubectl_wasmai.image.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from kubectl_wasmai.image.oci import Descriptor

MODULE = b"\0asm\1\0\0\0" + bytes(1000)
COMPILER = """#!/bin/sh
[ "$1" = --version ] && { echo "wasmedge version 0.14.1"; exit; }
echo "$@" >> "$(dirname "$0")/called"
"""
NAME = "registry.example.com/team/mnist:1"


def a_model(folder: Path, name: str = "mnist.onnx") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(build.small_model())
    return folder / name


def an_engine(folder: Path, module: bytes = MODULE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.wasm").write_bytes(module)
    return folder / "own.wasm"


def a_plan(folder: Path, name: str = NAME, *, alone: bool = False) -> Plan:
    engine = engine_from_file(an_engine(folder))
    engines = {} if alone else dict.fromkeys(PLATFORMS, engine)
    return Plan(parse_reference(name), read_model(a_model(folder)), engines)


def a_stored_image(folder: Path, name: str = NAME) -> tuple[Store, Reference, Descriptor]:
    """A store in ``folder/store`` with one image."""
    store = Store(folder / "store")
    plan = a_plan(folder / "inputs", name)
    return store, plan.reference, build_image(plan, store)


def a_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, work: str) -> Path:
    """A wasmedge on PATH that does ``work``; returns the file that lists its calls."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "wasmedge").write_text(f"{COMPILER}{work}\n")
    (folder / "bin" / "wasmedge").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return folder / "bin" / "called"
