"""The lab's own images: the sandbox, a Linux one, and WebAssembly modules good and corrupt."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from .build import building
from .node_config import SANDBOX_IMAGE
from .oci import Image, write_image
from .paths import LAB_DIR, ZIG_VERSION, architecture, cache_dir, node_root, zig_venv
from .progress import run_long, step
from .shell import run

PREFIX = "localhost/wasmai-lab"
_HELLO = LAB_DIR / "images" / "hello" / "hello.c"
# Modules that ask for a plugin the node does not have; each is an image of its file's name.
_ASKING = tuple(
    LAB_DIR / "images" / name / f"{name}.c"
    for name in ("nn-import", "llama-import", "logging-import")
)


def ensure_images() -> list[Path]:
    """The image tars, the sandbox first; made when missing. Needs the node's root."""
    target = cache_dir() / f"images-{_key()}"
    if not target.exists():
        _ensure_zig()
        with building("images") as temporary:
            if not target.exists():
                step("building the lab's images")
                modules = [_compile(source, temporary) for source in (_HELLO, *_ASKING)]
                _write_images(modules, temporary)
                target.mkdir()
                for tar in temporary.glob("*.tar"):
                    tar.rename(target / tar.name)
    # The number in front of each name is the order.
    return sorted(target.glob("*.tar"))


def test_images(module: bytes) -> list[Image]:
    """The WebAssembly images, from the compiled `hello` module."""
    contents = {
        "hello": module,
        # Long enough for the header and the first sections, too short for the code.
        "truncated": module[: len(module) // 2],
        "garbage": _fixed_bytes(len(module)),
    }
    return [
        Image(f"{PREFIX}/{name}:1", {"/hello.wasm": data}, ["/hello.wasm"],
              architecture=architecture())
        for name, data in contents.items()
    ]  # fmt: skip


def module_image(module: Path) -> Image:
    """One module that an image of its own name starts."""
    path = f"/{module.name}"
    files = {path: module.read_bytes()}
    return Image(f"{PREFIX}/{module.stem}:1", files, [path], architecture=architecture())


def _write_images(modules: list[Path], into: Path) -> None:
    pause = (node_root() / "usr/bin/catatonit").read_bytes()
    busybox = (node_root() / "bin/busybox").read_bytes()
    images = [
        Image(SANDBOX_IMAGE, {"/pause": pause}, ["/pause", "-P"], architecture=architecture()),
        *test_images(modules[0].read_bytes()),
        Image(f"{PREFIX}/busybox:1", {"/bin/busybox": busybox, "/bin/sh": busybox},
              ["/bin/busybox"], ["sleep", "infinity"], architecture()),
        *(module_image(module) for module in modules[1:]),
    ]  # fmt: skip
    for number, image in enumerate(images):
        name = image.name.rpartition("/")[2].partition(":")[0]
        write_image(image, into / f"{number}-{name}.tar")


def _fixed_bytes(length: int) -> bytes:
    """Bytes that look random and are the same for ever."""
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def _key() -> str:
    """Changes with everything the images are made from."""
    parts = [ZIG_VERSION, node_root().name, architecture()]
    sources = [_HELLO, *_ASKING, Path(__file__), Path(__file__).with_name("oci.py")]
    content = "\n".join(parts).encode() + b"".join(source.read_bytes() for source in sources)
    return hashlib.sha256(content).hexdigest()[:10]


def _compile(source: Path, into: Path) -> Path:
    module = into / f"{source.stem}.wasm"
    # Compiled libraries are kept with the compiler: they take most of the time.
    cache = str(zig_venv() / "cache")
    command: list[str | Path] = [
        zig_venv() / "bin/python",
        "-m",
        "ziglang",
        "cc",
        "-target",
        "wasm32-wasi",
    ]
    run(
        [*command, "-O2", "-s", "-Wall", "-Werror", "-o", module, source.name],
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        cwd=source.parent,
    )
    return module


def _ensure_zig() -> None:
    """Make the virtual environment that has the compiler."""
    target = zig_venv()
    if not target.exists():
        with building("zig") as temporary:
            if not target.exists():
                step(f"installing the C compiler for WebAssembly (ziglang {ZIG_VERSION})")
                venv = temporary / "venv"
                run([sys.executable, "-m", "venv", venv],
                    hint="Debian and Ubuntu: apt-get install python3-venv")  # fmt: skip
                run_long(
                    "ziglang",
                    [venv / "bin/python", "-m", "pip", "install", "--disable-pip-version-check",
                     f"ziglang=={ZIG_VERSION}"],
                    hint="pip fetches it from the Python package index; check the network",
                )  # fmt: skip
                venv.rename(target)
