"""crun as nodes have it: without WebAssembly, without WasmEdge, without the pod's annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasmlab.build_root import ensure_plain_crun

from . import on_node
from .handlers import PREFIX, runtime
from .hosted import write
from .model import ALL, Expected, Fault, Object, Shape, Step
from .objects import BUSYBOX, HELLO, container, deployment, linux, pod_spec, runtime_class

if TYPE_CHECKING:
    from wasmlab.client import Lab

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
FORMAT = r"(?i:exec format error)"
FORCED = {"run.oci.handler": "wasm"}
CRUN_WASM = runtime_class("crun-wasm", "crun-wasm")
SYMLINK = runtime("crun-wasm", "io.containerd.runc.v2", "/usr/bin/crun-wasm")
NOT_PASSED = on_node.reconfigured("/pod_annotations/d")
NO_LIBRARY = on_node.changed(
    f"mkdir -p /root/away && mv {LIBRARIES}/libwasmedge.so* /root/away/",
    f"mv /root/away/* {LIBRARIES}/",
)


def _put_plain(_: Lab, __: str) -> None:
    """With its libraries in a folder of its own: the node's are older."""
    for file in ensure_plain_crun().rglob("*"):
        if file.is_file() and (file.name == "crun" or ".so." in file.name):
            write(on_node.NODE, f"/opt/crun-plain/{file.name}", file.read_bytes())
    script = '#!/bin/sh\nLD_LIBRARY_PATH=/opt/crun-plain exec /opt/crun-plain/crun "$@"\n'
    write(on_node.NODE, "/usr/bin/crun-plain", script.encode())


PLAIN = (
    Step(_put_plain),
    on_node.reconfigured('s#BinaryName = .*#BinaryName = "/usr/bin/crun-plain"#'),
)


def _fault(name: str, objects: tuple[Object, ...], shows: str, *first: Step, **more: Any) -> Fault:
    expected = (Expected(name.partition("--")[0], more.pop("kind", "Deployment")),)
    return Fault(name, expected, objects, shows, first=first, exclusive=True, **more)


def _job(name: str = "web") -> Object:
    spec = pod_spec(container(readinessProbe=None))
    template = {
        "metadata": {"annotations": FORCED},
        "spec": {**spec, "restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 1, "template": template},
    }


NATIVE = linux("native")
SIDECAR = {"name": "sidecar", "image": BUSYBOX, "command": ["/bin/busybox", "sleep", "1000000"]}

FAULTS = (
    _fault(
        "libwasmedge-missing",
        (deployment(replicas=2), NATIVE),
        r"could not load .libwasmedge",
        NO_LIBRARY,
        moments=ALL,
        forms=("one-list",),
    ),
    _fault(
        "libwasmedge-missing--containerd-2",
        (deployment(),),
        r"could not load .libwasmedge",
        NO_LIBRARY,
        shape=Shape(containerd=2),
        forms=("no-events",),
    ),
    _fault(
        "runtime-lacks-wasm-support",
        (deployment(annotations=FORCED, replicas=2),),
        r"invalid handler|" + FORMAT,
        *PLAIN,
        moments=ALL,
        forms=("yaml",),
    ),
    _fault(
        "runtime-lacks-wasm-support--job",
        (_job(),),
        r"invalid handler|" + FORMAT,
        *PLAIN,
        kind="Job",
    ),
    _fault("runtime-lacks-wasm-support--variant", (deployment(),), FORMAT, *PLAIN, moments=ALL),
    _fault(
        "wasm-annotation-not-passed",
        (deployment(), NATIVE),
        FORMAT,
        NOT_PASSED,
        moments=ALL,
        forms=("one-list",),
    ),
    _fault(
        "wasm-annotation-not-passed--containerd-2",
        (deployment(annotations=FORCED),),
        FORMAT,
        NOT_PASSED,
        shape=Shape(containerd=2),
    ),
    _fault(
        "wasm-handler-conflict",
        (CRUN_WASM, deployment(pod_spec(runtime_class="crun-wasm"), annotations=FORCED)),
        r"already configured global handler",
        on_node.reconfigured(
            f'[plugins."{PREFIX[1]}".containerd.runtimes.crun-wasm]\n'
            '  runtime_type = "io.containerd.runc.v2"\n'
            '  pod_annotations = ["run.oci.handler"]\n'
            f'[plugins."{PREFIX[1]}".containerd.runtimes.crun-wasm.options]\n'
            '  BinaryName = "/usr/bin/crun-wasm"'
        ),
        moments=ALL,
    ),
    _fault(
        "wasm-handler-forced-on-linux-binary--symlink",
        (
            CRUN_WASM,
            deployment(
                pod_spec(container(command=["/hello.wasm"]), SIDECAR, runtime_class="crun-wasm"),
                annotations={},
            ),
        ),
        r"load library failed|magic header",
        SYMLINK,
        moments=ALL,
    ),
    Fault(
        "healthy--crun-wasm",
        (),
        (
            CRUN_WASM,
            deployment(pod_spec(container(image=HELLO), runtime_class="crun-wasm"), annotations={}),
        ),
        r'"readyReplicas": 1',
        first=(SYMLINK,),
        exclusive=True,
    ),
)
