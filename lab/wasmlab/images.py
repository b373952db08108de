"""The lab's own images: the sandbox, a Linux one, and WebAssembly modules good and corrupt."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from .build import building
from .errors import LabError
from .node_config import SANDBOX_IMAGE
from .oci import Image, read_file, write_image
from .paths import LAB_DIR, ZIG_VERSION, architecture, cache_dir, node_root, zig_venv
from .progress import run_long, step
from .shell import run

PREFIX = "localhost/wasmai-lab"
_HELLO = LAB_DIR / "images" / "hello" / "hello.c"
# Modules that ask for what the node does not have, or end; each is an image of its file's name.
_OTHERS = tuple(
    LAB_DIR / "images" / name / f"{name}.c"
    for name in (
        *("nn-import", "llama-import", "logging-import", "host-import", "ends", "llama-server"),
    )
)
_CRASH = LAB_DIR / "images" / "crash" / "crash.c"
_SERVER = LAB_DIR / "images" / "server.h"
# A module of the component model, which WasmEdge 0.14 does not run: preamble of layer 1.
_COMPONENT = b"\0asm\x0d\0\1\0"
_AOT_SECTION = b"\x08wasmedge"
_COMPILE = """
mount --bind "$WORK" "$ROOT/mnt"
chroot "$ROOT" wasmedge compile /mnt/hello.wasm /mnt/hello-aot.wasm
"""


def ensure_images() -> list[Path]:
    """The image tars, the sandbox first; made when missing. Needs the node's root."""
    target = cache_dir() / f"images-{_key()}"
    if not target.exists():
        _ensure_zig()
        with building("images") as temporary:
            if not target.exists():
                step("building the lab's images")
                modules = [_compile(source, temporary) for source in (_HELLO, *_OTHERS)]
                _compile_ahead(temporary)
                _write_images(modules, temporary)
                target.mkdir()
                for tar in temporary.glob("*.tar"):
                    tar.rename(target / tar.name)
    # The number in front of each name is the order.
    return sorted(target.glob("*.tar"))


def test_images(module: bytes, compiled: bytes) -> list[Image]:
    """The WebAssembly images, from the `hello` module and what WasmEdge compiled from it."""
    contents = {
        "hello": module,
        # Long enough for the header and the first sections, too short for the code.
        "truncated": module[: len(module) // 2],
        "garbage": _fixed_bytes(len(module)),
        "component": _COMPONENT,
        "aot": compiled,
        "aot-newer": newer_aot(compiled),
    }
    return [
        Image(f"{PREFIX}/{name}:1", {"/hello.wasm": data}, ["/hello.wasm"],
              architecture=architecture())
        for name, data in contents.items()
    ]  # fmt: skip


def newer_aot(compiled: bytes) -> bytes:
    """As WasmEdge 0.15 and later compile: the number behind the section's name is theirs."""
    head, name, rest = compiled.partition(_AOT_SECTION)
    if not name:
        raise LabError("wasmedge compile wrote no section of its own", "see images.py")
    return head + name + b"\x02" + rest[1:]


def module_of(tars: list[Path], name: str) -> bytes:
    """The module inside one of the lab's images, whose file is named as the image."""
    tar = next(tar for tar in tars if tar.stem.partition("-")[2] == name)
    return read_file(tar, f"{name}.wasm")


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
        *test_images(modules[0].read_bytes(), (into / "hello-aot.wasm").read_bytes()),
        Image(f"{PREFIX}/busybox:1", {"/bin/busybox": busybox, "/bin/sh": busybox},
              ["/bin/busybox"], ["sleep", "infinity"], architecture()),
        Image(f"{PREFIX}/no-entrypoint:1", {"/hello.wasm": modules[0].read_bytes()}, [],
              architecture=architecture()),
        *(
            Image(f"{PREFIX}/{name}:1",
                  {"/hello.wasm": modules[0].read_bytes(),
                   "/plugin/libplugin.so": _crash(into, signal)},
                  ["/hello.wasm"], architecture=architecture())
            for name, signal in (("plugin-sigill", "ILL"), ("plugin-sigsegv", "SEGV"))
        ),
        *(module_image(module) for module in modules[1:]),
    ]  # fmt: skip
    for number, image in enumerate(images):
        name = image.name.rpartition("/")[2].partition(":")[0]
        write_image(image, into / f"{number:02}-{name}.tar")


def _fixed_bytes(length: int) -> bytes:
    """Bytes that look random and are the same for ever."""
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def _key() -> str:
    """Changes with everything the images are made from."""
    parts = [ZIG_VERSION, node_root().name, architecture()]
    sources = [
        _HELLO,
        *_OTHERS,
        _CRASH,
        _SERVER,
        Path(__file__),
        Path(__file__).with_name("oci.py"),
    ]
    content = "\n".join(parts).encode() + b"".join(source.read_bytes() for source in sources)
    return hashlib.sha256(content).hexdigest()[:10]


def _compile(source: Path, into: Path) -> Path:
    module = into / f"{source.stem}.wasm"
    _zig(source, "-target", "wasm32-wasi", "-O2", "-s", "-o", module)
    return module


def _crash(into: Path, signal: str) -> bytes:
    """A shared library for the node that dies of that signal when it is loaded."""
    library = into / f"{signal}.so"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture(), architecture())
    target = f"{machine}-linux-gnu"
    _zig(_CRASH, "-target", target, "-O1", "-shared", "-nostdlib", f"-D{signal}", "-o", library)
    return library.read_bytes()


def _zig(source: Path, *words: str | Path) -> None:
    # Compiled libraries are kept with the compiler: they take most of the time.
    cache = str(zig_venv() / "cache")
    run(
        [zig_venv() / "bin/python", "-m", "ziglang", "cc", *words, "-Wall", "-Werror", source.name],
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        cwd=source.parent,
    )


def _compile_ahead(folder: Path) -> None:
    """`hello-aot.wasm` of `hello.wasm`, by the node's own WasmEdge."""
    run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _COMPILE],
        env={**os.environ, "WORK": str(folder), "ROOT": str(node_root())},
        hint="only root can enter the node's root file system: run it with sudo",
    )


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
