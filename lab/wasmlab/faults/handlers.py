"""Handlers and shims that the nodes do not have, or not for this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasmlab.paths import node_root

from . import on_node
from .hosted import write
from .model import ALL, Expected, Fault, Object, Shape, Step
from .objects import deployment, pod_spec, runtime_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasmlab.client import Lab

CONTAINERD_2 = Shape(containerd=2)
PREFIX = {1: "io.containerd.grpc.v1.cri", 2: "io.containerd.cri.v1.runtime"}
SHIM = "containerd-shim-wasmedge-v1"
TYPE = "io.containerd.wasmedge.v1"
WASMEDGE = runtime_class("wasmedge", "wasmedge")
K3S = tuple(
    runtime_class(name, name)
    for name in ("lunatic", "nvidia", "nvidia-experimental", "slight", "spin", "wasmedge", "wws")
)
"""Classes that K3s makes on every cluster, whatever its nodes have."""
NO_RUNTIME = r"no runtime for"


def runtime(name: str, type_: str, binary: str = "", generation: int = 1) -> Step:
    """One more runtime in containerd's configuration."""
    table = f'[plugins."{PREFIX[generation]}".containerd.runtimes.{name}'
    options = f'\n{table}.options]\n  BinaryName = "{binary}"' if binary else ""
    return on_node.reconfigured(f'{table}]\n  runtime_type = "{type_}"{options}')


def _of_class(name: str, replicas: int = 1) -> Object:
    return deployment(pod_spec(runtime_class=name), replicas=replicas)


def _mixed(name: str, generation: int, *forms: str) -> Fault:
    """Two nodes, of which the second has no crun."""
    return Fault(
        name,
        (Expected("handler-missing-on-some-nodes", "Node", "node2", cluster=True),),
        (deployment(replicas=4), deployment(name="other", replicas=2)),
        NO_RUNTIME,
        shape=Shape(nodes=2, containerd=generation),
        forms=forms,
    )


def _program(path: str, content: Callable[[], bytes]) -> Step:
    """A program on the node, gone afterwards."""

    def undo(lab: Lab, _: str) -> None:
        on_node.shell(lab, f"rm -f {path}")

    return Step(lambda _, __: write(on_node.NODE, path, content()), undo)


def _foreign() -> bytes:
    """A program that says it is one for another processor."""
    content = bytearray((node_root() / "usr/bin/catatonit").read_bytes())
    content[18:20] = (0xB7).to_bytes(2, "little")  # EM_AARCH64
    return bytes(content)


def _shim(
    name: str, shows: str, *, type_: str = TYPE, program: Step | None = None, generation: int = 1
) -> Fault:
    cause = name.partition("--")[0]
    expected = Expected(cause)
    if cause == "cgroup-v1-unsupported":
        expected = Expected(cause, "Node", "node1", cluster=True)
    return Fault(
        name,
        (expected,),
        (WASMEDGE, _of_class("wasmedge", 2), deployment(name="neighbour")),
        shows,
        first=(*((program,) if program else ()), runtime("wasmedge", type_, generation=generation)),
        exclusive=True,
        shape=Shape(containerd=generation),
    )


CGROUP_V1 = b"""#!/bin/sh
echo 'containerd-shim-wasmedge-v1: v1 cgroup feature is required, but was not enabled during \
compile time' >&2
exit 1
"""

FAULTS = (
    _mixed("handler-missing-on-some-nodes", 1, "one-list", "namespace"),
    _mixed("handler-missing-on-some-nodes--containerd-2", 2, "no-events", "yaml"),
    Fault(
        "handler-not-configured--containerd-2",
        (Expected("handler-not-configured"),),
        (WASMEDGE, _of_class("wasmedge", 2), deployment(name="neighbour")),
        NO_RUNTIME,
        shape=CONTAINERD_2,
        forms=("no-events", "namespace"),
        moments=ALL,
    ),
    Fault(
        "handler-not-configured--k3s",
        (Expected("handler-not-configured"),),
        (*K3S, _of_class("wasmedge")),
        NO_RUNTIME,
        forms=("namespace", "one-list"),
    ),
    Fault(
        # The table of containerd 1 in a file of version 3 is dropped without a word.
        "handler-not-configured--old-table",
        (Expected("handler-not-configured"),),
        (WASMEDGE, _of_class("wasmedge"), deployment(name="neighbour")),
        NO_RUNTIME,
        first=(runtime("wasmedge", TYPE, generation=1),),
        exclusive=True,
        shape=CONTAINERD_2,
    ),
    _shim("shim-binary-missing", r"binary not installed|no such file"),
    _shim("shim-binary-missing--containerd-2", r"binary not installed|no such file", generation=2),
    _shim(
        "shim-binary-missing--path",
        r"binary not installed|no such file",
        type_=f"/opt/kwasm/bin/{SHIM}",
    ),
    _shim(
        "shim-wrong-architecture",
        r"exec format error",
        program=_program(f"/usr/bin/{SHIM}", _foreign),
    ),
    _shim(
        "shim-wrong-architecture--containerd-2",
        r"exec format error",
        program=_program(f"/opt/rcm/bin/{SHIM}", _foreign),
        type_=f"/opt/rcm/bin/{SHIM}",
        generation=2,
    ),
    _shim(
        "cgroup-v1-unsupported",
        r"v1 cgroup feature is required",
        program=_program(f"/usr/bin/{SHIM}", lambda: CGROUP_V1),
    ),
    Fault(
        "shim-binary-missing--crun-wasm",
        (Expected("shim-binary-missing"),),
        (runtime_class("crun-wasm", "crun-wasm"), _of_class("crun-wasm")),
        r"no such file",
        first=(runtime("crun-wasm", "io.containerd.runc.v2", "/usr/local/bin/crun-wasm"),),
        exclusive=True,
    ),
)
