"""What a Wasm container starts: the module itself, never an engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding
from kubectl_wasmai.wasm import is_module_path, is_native_handler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

ENGINE_COMMANDS = ("wasmedge", "wasmtime", "wasmer", "iwasm")


def entrypoint_is_cli(case: Case) -> Iterable[Finding]:
    """Under a Wasm class the runtime *is* the engine; no ``wasmedge`` exists in the image."""
    for view in case.workloads:
        handler = _handler(case, view)
        if handler is None or is_native_handler(handler):
            continue
        for position, container in enumerate(view.containers):
            command = container.command or ()
            if command and command[0].rpartition("/")[2] in ENGINE_COMMANDS:
                yield Finding(
                    "wasm-entrypoint-is-cli",
                    view.subject,
                    Certainty.CERTAIN,
                    (Evidence("spec", str(view.subject), f"command: {json.dumps(command)}"),),
                    {
                        "container": container.name,
                        "command": command[0],
                        "module": _module(container),
                        "patch": _command_patch(position, container),
                    },
                )


def _handler(case: Case, view: WorkloadView) -> str | None:
    """The handler of the workload's class; ``None`` without a class. A class that does not
    exist stands for its own name: what it was meant to be."""
    name = view.spec.runtime_class_name
    if not name:
        return None
    runtime_class = case.snapshot.runtime_classes.get(name)
    return runtime_class.handler if runtime_class else name


def _module(container: Container) -> str:
    words = [*(container.command or ())[1:], *(container.args or ())]
    return next((word for word in words if is_module_path(word)), "/app.wasm")


def _command_patch(position: int, container: Container) -> str:
    """The module, and what followed it on the command line; the engine's own flags are gone."""
    words = [*(container.command or ())[1:], *(container.args or ())]
    module = _module(container)
    rest = words[words.index(module) + 1 :] if module in words else []
    path = f"/spec/template/spec/containers/{position}"
    operations = [{"op": "replace", "path": f"{path}/command", "value": [module, *rest]}]
    if container.args:
        operations.append({"op": "remove", "path": f"{path}/args"})
    return json.dumps(operations)


DETECTORS = (Detector(("wasm-entrypoint-is-cli",), ("RuntimeClass",), entrypoint_is_cli),)
