"""Whether an image's linux/arm64 manifest answers as the engine does here, by emulation.

WasmEdge for arm64 runs under QEMU, from a folder of Debian's packages:

    apt-get install qemu-user debootstrap
    debootstrap --arch=arm64 --foreign --variant=minbase \\
        --include=wasmedge,libspdlog1.15 trixie ROOT
    for each in ROOT/var/cache/apt/archives/*.deb; do dpkg-deb -x $each ROOT; done
    kubectl wasmai image save REF -o image.tar
    python benchmarks/arm64.py image.tar request.json ROOT [--compile]

Unpacks the manifest's layers and answers the request twice with --infer: by WasmEdge under QEMU,
and by wasmtime here. With --compile WasmEdge compiles the module first; one that is compiled in
the image, by `image build --aot` on arm64, runs as it is. Prints both answers and the seconds;
exit code 1 where they differ by more than 1e-4.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

HOST = "kubectl_wasmai.local.host"
TOLERANCE = 1e-4
WASM = b"\0asm"


def main() -> int:
    """Compare one image's answers to one request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("request", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for architecture in ("arm64", "amd64"):
            unpack(given.image, architecture, folder / architecture)
        engine, models = folder / "arm64/engine.wasm", folder / "arm64/models"
        wasmedge = ["qemu-aarch64", "-L", str(given.root), str(given.root / "usr/bin/wasmedge")]
        if given.compile:
            subprocess.run(
                [*wasmedge, "compile", "--generic-binary", engine, folder / "engine.so"], check=True
            )
            engine = folder / "engine.so"
        emulated = [*wasmedge, "--dir", f"/models:{models}:readonly", str(engine)]
        there = answer("arm64, WasmEdge under QEMU", emulated, given.request)
        # An engine is compiled for one architecture at most.
        modules = sorted(folder.glob("*/engine.wasm"))
        plain = next(each for each in modules if each.read_bytes().startswith(WASM))
        native = [sys.executable, "-m", HOST, str(plain), str(models), "/models"]
        here = answer("here, wasmtime", native, given.request)
    return 0 if equal(there, here) else 1


def unpack(image: Path, architecture: str, folder: Path) -> None:
    """The root folder that a node of this architecture makes of a saved image."""
    with tarfile.open(image) as archive:

        def read(path: str) -> bytes:
            member = archive.extractfile(path)
            if member is None:
                raise ValueError(f"{path} is no file in {image}")
            return member.read()

        def blob(described: dict[str, Any]) -> bytes:
            return read("blobs/" + described["digest"].replace(":", "/"))

        index = json.loads(blob(json.loads(read("index.json"))["manifests"][0]))
        (chosen,) = (
            each for each in index["manifests"] if each["platform"]["architecture"] == architecture
        )
        for layer in json.loads(blob(chosen))["layers"]:
            with tarfile.open(fileobj=io.BytesIO(blob(layer))) as files:
                files.extractall(folder, filter="data")


def answer(title: str, command: list[str], request: Path) -> Any:
    """What the engine says to the request, which is printed, too."""
    began = time.monotonic()
    with request.open() as body:
        done = subprocess.run(
            [*command, "--infer", "-"], stdin=body, stdout=subprocess.PIPE, check=True, text=True
        )
    print(f"{title}, {time.monotonic() - began:.1f} s: {done.stdout}", flush=True)
    said = json.loads(done.stdout)
    return said.get("outputs") or said["choices"]


def equal(left: Any, right: Any) -> bool:
    """The same in all parts; numbers nearly."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, float) and isinstance(right, float | int):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(left == right)


if __name__ == "__main__":
    sys.exit(main())
