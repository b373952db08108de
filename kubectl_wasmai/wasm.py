"""Facts about WebAssembly under a Kubernetes container runtime, in one place.

Sources: crun's ``docs/wasm-wasi-on-kubernetes.md`` and ``handlers/handler-utils.c`` (which
container is Wasm is decided by an annotation and the suffix of ``args[0]``, never by the file's
content); containerd's CRI configuration (``pod_annotations``); K3s' ``advanced.md`` (classes it
creates on every cluster, whether or not a shim is installed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIANT_ANNOTATION = "module.wasm.image/variant"
HANDLER_ANNOTATION = "run.oci.handler"
COMPAT_SMART = "compat-smart"
"""Wasm when ``args[0]`` ends in .wasm or .wat, Linux otherwise: sidecars keep working."""

MODULE_SUFFIXES = (".wasm", ".wat")

NATIVE_HANDLERS = ("runc", "runsc", "gvisor", "kata", "nvidia", "youki", "runhcs")
"""Prefixes of handler names that run Linux (or Windows) binaries and nothing else."""

SHIM_HANDLERS = ("wasmedge", "wasmtime", "wasmer", "spin", "slight", "wws", "lunatic", "wamr")
"""Prefixes of handlers that a containerd shim serves: no annotation is needed there."""

K3S_CLASSES = ("crun", "lunatic", "slight", "spin", "wasmedge", "wasmer", "wasmtime", "wws")
"""RuntimeClasses for Wasm that K3s makes on every cluster, named like their handlers."""


def is_module_path(argument: str) -> bool:
    """Whether crun's smart selection takes this ``args[0]`` for a Wasm module."""
    return argument.endswith(MODULE_SUFFIXES)


def is_native_handler(handler: str) -> bool:
    """Whether a handler of this name is known to run native binaries only."""
    return handler.startswith(NATIVE_HANDLERS)


def needs_annotation(handler: str) -> bool:
    """Whether pods of this handler must carry crun's selector annotation.

    ``crun-wasm`` and its like are symlinks that force Wasm for every container; shims know
    nothing but Wasm. Plain ``crun`` decides per container, from the annotation.
    """
    return handler.startswith("crun") and "-" not in handler


def selector_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those annotations that make crun run a container as Wasm."""
    return {
        key: value
        for key, value in annotations.items()
        if key in (VARIANT_ANNOTATION, HANDLER_ANNOTATION)
    }


def selects_wasm(annotations: Mapping[str, str]) -> bool:
    """Whether crun is told to run modules as Wasm; a misspelt value is as good as none."""
    known = ("compat", COMPAT_SMART, "wasm", "wasm-smart", "wasmedge")
    return any(value in known for value in selector_annotations(annotations).values())
