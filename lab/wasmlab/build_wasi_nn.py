"""Building WasmEdge's WASI-NN plugin for the node's own WasmEdge, which Debian leaves out.

With llama.cpp inside (backend GGML), as WasmEdge's releases have it, and once with no backend at
all. Sources: WasmEdge's repository at the node's version, and llama.cpp from the source archive of
llama-cpp-python, whose release of that week carries the revision that WasmEdge names.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .build import building
from .build_root import ensure_root
from .paths import WASMEDGE_VERSION, wasi_nn
from .progress import run_long, step
from .shell import require

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = "llama-cpp-python==0.2.90"  # carries llama.cpp b3651, as WasmEdge 0.14.1 asks for
REPOSITORY = "https://github.com/WasmEdge/WasmEdge"
API_VERSION = "4"  # of plugins, WasmEdge 0.14.1

_PACKAGES = "g++ cmake ninja-build libspdlog-dev libfmt-dev libsimdjson-dev libwasmedge-dev"
# The node's root stays as it is: the compiler lives on an overlay in memory.
_SCRIPT = """
mkdir "$WORK/overlay"
mount -t tmpfs tmpfs "$WORK/overlay"
mkdir "$WORK/overlay/upper" "$WORK/overlay/work" "$WORK/overlay/root"
root="$WORK/overlay/root"
mount -t overlay overlay \
  -o "lowerdir=$ROOT,upperdir=$WORK/overlay/upper,workdir=$WORK/overlay/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$WORK" "$root/mnt"
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" apt-get update
chroot "$root" apt-get install -y --no-install-recommends $PACKAGES
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "VERSION=$VERSION" "API=$API" \
  sh -ec "$BUILD"
"""
_BUILD = """
cd /mnt
version=wasmedge/include/common
sed -e "s/^#cmakedefine CPACK.*/#define CPACK_PACKAGE_VERSION \\"$VERSION\\"sv/" \
  -e 's#^.cmakedefine CMAKE.*#\\#define CMAKE_INSTALL_FULL_LIBDIR "/usr/lib"#' \
  -e "s/.{WASMEDGE_API_VERSION}/$API/" $version/version.h.in > $version/version.h
llama=$(echo llama_cpp_python-*/vendor/llama.cpp)
cmake -G Ninja -S $llama -B llama -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DGGML_NATIVE=OFF -DGGML_AVX=OFF -DGGML_AVX2=OFF \
  -DGGML_FMA=OFF -DGGML_F16C=OFF -DGGML_OPENMP=OFF -DLLAMA_BUILD_TESTS=OFF \
  -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF
ninja -C llama ggml llama common
flags="-std=c++17 -O1 -fPIC -w -Iwasmedge/include -Iwasmedge/thirdparty -I/usr/include/wasmedge \
  -DSPDLOG_SHARED_LIB -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL -DWASMEDGE_OS_LINUX=1"
ggml="-DWASMEDGE_PLUGIN_WASI_NN_BACKEND_GGML"
for part in . include src common ggml/include ggml/src examples/llava; do
  ggml="$ggml -I$llama/$part"
done
mkdir none with
for file in wasmedge/plugins/wasi_nn/*.cpp; do
  g++ $flags -c $file -o none/$(basename $file).o
  g++ $flags $ggml -c $file -o with/$(basename $file).o
done
g++ $flags $ggml -c $llama/examples/llava/llava.cpp -o with/llava.o
g++ $flags $ggml -c $llama/examples/llava/clip.cpp -o with/clip.o
mkdir -p out/ggml out/no-backend
libraries=$(find llama -name '*.a')
g++ -shared -s -o out/ggml/libwasmedgePluginWasiNN.so with/*.o -Wl,--start-group $libraries \
  -Wl,--end-group -lsimdjson -lspdlog -lfmt -Wl,-rpath,'$ORIGIN'
g++ -shared -s -o out/no-backend/libwasmedgePluginWasiNN.so none/*.o -lspdlog -lfmt
cp -L /usr/lib/*/libsimdjson.so.?? out/ggml/
cp $llama/models/ggml-vocab-llama-spm.gguf out/vocabulary.gguf
"""


def ensure_wasi_nn() -> Path:
    """The folder with ``ggml/``, ``no-backend/`` (each a plugin) and ``vocabulary.gguf`` (a model
    without weights), built when missing; needs root.

    ``WASMAI_LAB_WASMEDGE`` names another place to clone WasmEdge from, such as a folder.
    """
    target = wasi_nn()
    if not target.exists():
        root = ensure_root()
        with building("wasi-nn") as temporary:
            if not target.exists():
                _fetch(temporary)
                step("building WasmEdge's WASI-NN plugin with llama.cpp (some ten minutes)")
                _build(root, temporary)
                (temporary / "out").rename(target)
    return target


def _fetch(into: Path) -> None:
    git = require("git", "install git (apt-get install git)")
    python = require("python3", "install Python")
    source = os.environ.get("WASMAI_LAB_WASMEDGE") or REPOSITORY
    run_long(
        "WasmEdge's source",
        [git, "clone", "--quiet", "--depth", "1", "--branch", WASMEDGE_VERSION, source,
         into / "wasmedge"],
        hint="clone it where GitHub is within reach, and name the folder in WASMAI_LAB_WASMEDGE",
    )  # fmt: skip
    run_long(
        "llama.cpp's source",
        [python, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:",
         "--dest", into, LLAMA],
        hint="pip fetches it from the Python package index; check the network",
    )  # fmt: skip
    archive = next(into.glob("llama_cpp_python-*.tar.gz"))
    run_long("llama.cpp", ["tar", "-C", into, "-xzf", archive], hint="is the disk full?")


def _build(root: Path, work: Path) -> None:
    run_long(
        "WASI-NN plugin",
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _SCRIPT],
        hint="the packages come from Debian's mirror: check the network",
        env={
            "ROOT": str(root),
            "WORK": str(work),
            "PACKAGES": _PACKAGES,
            "BUILD": _BUILD,
            "VERSION": WASMEDGE_VERSION,
            "API": API_VERSION,
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        },
    )
