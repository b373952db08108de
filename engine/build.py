#!/usr/bin/env python3
"""Builds the engine's modules into kubectl_wasmai/engine/, the same bytes on every machine.

    engine/build.py              build, and replace the modules, their digests and their SBOM
    engine/build.py --check      nothing if the modules were made of these sources, which
                                 engine.json says and needs no Rust; else as --rebuild
    engine/build.py --rebuild    build, and compare with what is there
    engine/build.py --toolchain  the pinned compiler, by rustup unless it is there

Crates and what is compiled of them lie outside the work tree: CARGO_HOME, and
$WASMAI_ENGINE_CACHE, else ~/.cache/kubectl-wasmai-engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).resolve().parent
PACKAGE = ENGINE.parent / "kubectl_wasmai" / "engine"
CACHE = Path(os.environ.get("WASMAI_ENGINE_CACHE", Path.home() / ".cache/kubectl-wasmai-engine"))
CARGO_HOME = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
TARGET = "wasm32-wasip1"
BUILT = CACHE / "target" / TARGET / "release" / "wasmai-engine.wasm"
HOST = "kubectl_wasmai.local.host"
VARIANTS = ("llama", "onnx")
# What decides the bytes; tests do not.
SOURCES = (
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo/config.toml",
    "kernels",
    "src",
)


class BuildError(Exception):
    """Says what to do."""


def main(arguments: list[str]) -> int:
    actions = {"": write, "--check": check, "--rebuild": rebuild, "--toolchain": ensure_toolchain}
    action = actions.get(" ".join(arguments))
    if action is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        action()
    except BuildError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    return 0


def write() -> None:
    """Replaces the files of the package."""
    for name, content in build().items():
        (PACKAGE / name).write_bytes(content)
        print(f"wrote kubectl_wasmai/engine/{name} ({len(content)} bytes)")


def check() -> None:
    """Believes engine.json where it names these sources and these modules; else builds."""
    recorded = json.loads((PACKAGE / "engine.json").read_bytes())
    modules = {
        name: {"sha256": digest(content), "bytes": len(content)}
        for name in recorded["modules"]
        for content in [(PACKAGE / name).read_bytes()]
    }
    if recorded["modules"] == modules and recorded["sources"] == sources_digest():
        print("engine: the modules were made of these sources; nothing to build")
        return
    print("engine: the sources or the modules are not those in engine.json; building to compare")
    rebuild()


def rebuild() -> None:
    """Compares every file of the package with what the sources give."""
    committed = {each.name: each.read_bytes() for each in PACKAGE.iterdir() if each.suffix != ".py"}
    different = [name for name, content in build().items() if committed.get(name) != content]
    if different:
        raise BuildError(f"{', '.join(different)}: not what the sources give; run: make engine")
    print("engine: the modules are what the sources give, byte for byte")


def build() -> dict[str, bytes]:
    """Every file of the package that comes from the sources, by name."""
    ensure_toolchain()
    modules = {f"engine-{variant}.wasm": compile_variant(variant) for variant in VARIANTS}
    manifest = {
        "version": engine_version(),
        "toolchain": output("rustc", "--version").strip(),
        "sources": sources_digest(),
        "modules": {
            name: {"sha256": digest(content), "bytes": len(content)}
            for name, content in modules.items()
        },
    }
    return {
        **modules,
        "operators.json": operators(),
        "engine.json": text(manifest),
        "sbom.cdx.json": text(bill_of_materials(modules)),
    }


def ensure_toolchain() -> None:
    """Installs the compiler that rust-toolchain.toml names, if rustup can and it is not there."""
    if has_target():
        return
    if shutil.which("rustup") is None:
        raise BuildError(
            f"Rust with the target {TARGET} is needed: rustup (https://rustup.rs), "
            "or see docs/engine.md"
        )
    run(
        *("rustup", "toolchain", "install", channel(), "--profile", "minimal"),
        *("--component", "clippy", "--component", "rustfmt", "--target", TARGET),
        "--no-self-update",
    )


def has_target() -> bool:
    """Whether the compiler on PATH is there and has the library for the target."""
    if shutil.which("rustc") is None:
        return False
    # With rustup, rustc is a proxy that fails while the pinned compiler is not installed.
    asked = subprocess.run(
        ("rustc", "--print", "sysroot"), cwd=ENGINE, env=environment(), check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    return asked.returncode == 0 and Path(asked.stdout.strip(), "lib/rustlib", TARGET).is_dir()


def channel() -> str:
    for line in (ENGINE / "rust-toolchain.toml").read_text().splitlines():
        if line.startswith("channel = "):
            return line.split('"')[1]
    raise BuildError("rust-toolchain.toml names no channel")


def compile_variant(variant: str) -> bytes:
    # Paths of this machine would otherwise stand in panic messages.
    remaps = [f"--remap-path-prefix={CARGO_HOME}=/cargo", f"--remap-path-prefix={ENGINE}=/engine"]
    run(
        *("cargo", "build", "--release", "--locked", "--target", TARGET),
        *("--no-default-features", "--features", variant),
        *("--config", f"target.{TARGET}.rustflags={json.dumps(remaps)}"),
    )
    return BUILT.read_bytes()


def operators() -> bytes:
    """What the ONNX module itself says it can run."""
    command = [sys.executable, "-m", HOST, str(BUILT), str(ENGINE), "/", "--operators"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise BuildError("the new module does not run; is wasmtime installed? (make dev)")
    return text(json.loads(done.stdout)["operators"])


def bill_of_materials(modules: dict[str, bytes]) -> dict[str, Any]:
    """CycloneDX 1.5: the crates that are linked, with their licences and checksums."""
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1",
                                 "--filter-platform", TARGET))  # fmt: skip
    packages = {each["id"]: each for each in metadata["packages"]}
    checksums = lock_checksums()
    components = [
        {
            "type": "library",
            "name": package["name"],
            "version": package["version"],
            "purl": f"pkg:cargo/{package['name']}@{package['version']}",
            "licenses": [
                {"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}
            ],
            **(
                {"hashes": [{"alg": "SHA-256", "content": checksums[key]}]}
                if (key := (package["name"], package["version"])) in checksums
                else {}
            ),
        }
        for package in sorted((packages[each] for each in linked(metadata)), key=purl_order)
    ]
    files = [
        {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest(content)}]}
        for name, content in modules.items()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "wasmai-engine",
                "version": engine_version(),
                "components": files,
            }
        },
        "components": components,
    }


def linked(metadata: dict[str, Any]) -> set[str]:
    """Ids of the packages that normal dependencies reach; build scripts and tests stay out."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found: set[str] = set()
    waiting = [metadata["resolve"]["root"]]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in found:
                found.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return found


def purl_order(package: dict[str, Any]) -> tuple[str, str]:
    return package["name"], package["version"]


def lock_checksums() -> dict[tuple[str, str], str]:
    """Checksums of registry crates, from the blocks of Cargo.lock."""
    found: dict[tuple[str, str], str] = {}
    for block in (ENGINE / "Cargo.lock").read_text().split("[[package]]")[1:]:
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if line.count(" = ") == 1)
        if "checksum" in fields:
            name, version, checksum = (
                fields[key].strip('"') for key in ("name", "version", "checksum")
            )
            found[name, version] = checksum
    return found


def engine_version() -> str:
    for line in (ENGINE / "Cargo.toml").read_text().splitlines():
        if line.startswith("version = "):
            return line.split('"')[1]
    raise BuildError("Cargo.toml names no version")


def sources_digest() -> str:
    """One digest over everything that decides the bytes."""
    whole = hashlib.sha256()
    for source in SOURCES:
        path = ENGINE / source
        files = (
            sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        )
        for file in files:
            whole.update(f"{file.relative_to(ENGINE)}\0{digest(file.read_bytes())}\n".encode())
    return whole.hexdigest()


def digest(content: bytes | str) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def text(document: dict[str, Any] | list[str]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def environment() -> dict[str, str]:
    own = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("RUSTFLAGS", "CARGO_BUILD"))
    }
    return {**own, "CARGO_TARGET_DIR": str(CACHE / "target"), "CARGO_INCREMENTAL": "0"}


def run(*command: str) -> None:
    if subprocess.run(command, cwd=ENGINE, env=environment(), check=False).returncode != 0:
        raise BuildError(f"failed: {' '.join(command)}")


def output(*command: str) -> str:
    return subprocess.run(
        command, cwd=ENGINE, env=environment(), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
