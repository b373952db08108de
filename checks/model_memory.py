"""Does the memory limit hold the model and its context, and a Wasm memory what is read into it?

A size is estimated from the name of a GGUF file, the KV cache from the context size; both are said
to be estimates. Sources: llama.cpp (an f16 cache takes 0.5 MiB a token for Llama 2 7B; newer models
share keys among four or eight heads), the 4 GiB that 32-bit addresses of WebAssembly reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.checks.model_file import ModelFile, model_files
from kubectl_wasmai.checks.wasi_nn import option, words

from kubectl_wasmai import gguf, gpu
from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.doctor.quantity import amount

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

WASM_MEMORY = 4 * 2.0**30
"""What a 32-bit Wasm memory can hold at most; the model is only a part of it."""
GB = 1e9
"""Bytes above which a model inside Wasm memory is to be quantised or left to a native plugin."""
RUNTIME = 64 * 2.0**20


def memory_fits(_case: Case, view: WorkloadView) -> Result:
    files = list(model_files(view))
    if not files:
        return Result(Status.SKIP, "names no model file", view.subject)
    sized = [(file, model) for file in files if (model := gguf.from_name(file.path))]
    if not sized:
        reason = f"the name of {files[0].path} does not tell its size"
        needs = "a name such as llama-2-7b-chat.Q4_K_M.gguf, or the file's size"
        return Result(Status.UNKNOWN, reason, view.subject, needs=needs)
    fits = [_fit(file, model) for file, model in sized]
    evidence = tuple(Evidence("spec", str(view.subject), each.told) for each in fits)
    tight = next((each for each in fits if each.trouble), None)
    if tight is not None:
        return Result(Status.WARN, tight.trouble, view.subject, evidence)
    judged = [each for each in fits if each.judged]
    if not judged:
        reason = "no memory limit to compare with, or the model goes to a GPU's memory"
        return Result(Status.SKIP, reason, view.subject, evidence)
    return Result(Status.PASS, judged[0].told, view.subject, evidence)


class _Fit(NamedTuple):
    """One model against its container's memory; ``trouble`` is empty where it fits."""

    told: str
    trouble: str
    judged: bool


def _fit(file: ModelFile, model: gguf.Model) -> _Fit:
    container = file.container
    context = _context(container)
    cache = context * gguf.bytes_a_token(model.parameters, file.path)
    limit = (container.resources.limits or {}).get("memory")
    need = model.bytes + cache + RUNTIME
    told = f"{container.name}: model about {_gb(model.bytes)}, context of {context} about "
    told += f"{_gb(cache)}, memory limit {limit or 'none'}"
    if file.is_inside and need > WASM_MEMORY:
        return _Fit(told, f"{told}: no 32-bit Wasm memory (4 GiB) holds that", judged=True)
    if file.is_inside and model.bytes > GB:
        return _Fit(told, f"{told}: above 1 GB quantise it, or use the ggml plugin", judged=True)
    on_gpu = any(map(gpu.is_gpu, container.resources.limits or {}))
    if limit is None or (on_gpu and not file.is_inside):
        return _Fit(told, "", judged=False)
    if amount(limit) < model.bytes:
        return _Fit(told, f"{told}: the limit is below the file's own size", judged=True)
    if amount(limit) < need:
        return _Fit(told, f"{told}: too little for both", judged=True)
    return _Fit(told, "", judged=True)


def _context(container: Container) -> int:
    values = [each.partition(",")[0] for each in option(words(container), "--ctx-size", "-c")]
    return next((int(value) for value in values if value.isdigit()), gguf.DEFAULT_CONTEXT)


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= GB / 10 else f"{size / 1e6:.0f} MB"


CHECKS = (
    Check(
        id="memory-fits-model",
        title="The memory limit holds model and context",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=per_workload(memory_fits),
    ),
)
