"""Six ways to break a Deployment that ``deploy`` made, as a person would by mistake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

REMOVE = None


@dataclass(frozen=True)
class Fault:
    """``patch`` is a merge patch of the pod template; ``manifest`` is applied before it."""

    cause: str
    template: dict[str, Any]
    manifest: dict[str, Any] | None = None

    @property
    def patch(self) -> str:
        """Rolling updates keep the old pod; ``Recreate`` makes the fault the whole story."""
        strategy = {"type": "Recreate", "rollingUpdate": None}
        return json.dumps({"spec": {"strategy": strategy, "template": self.template}})


def _container(**fields: Any) -> dict[str, Any]:
    """A strategic merge patch names its list items by their key."""
    return {"spec": {"containers": [{"name": "module", **fields}]}}


def runtime_class(name: str, handler: str) -> dict[str, Any]:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": name},
        "handler": handler,
    }


FAULTS = (
    Fault("runtimeclass-missing", {"spec": {"runtimeClassName": "wasm-misspelt"}}),
    Fault(
        "handler-not-configured",
        {"spec": {"runtimeClassName": "wasmedge"}},
        runtime_class("wasmedge", "wasmedge"),
    ),
    Fault(
        "wasm-annotation-missing",
        {"metadata": {"annotations": {"module.wasm.image/variant": REMOVE}}},
    ),
    Fault("wasm-entrypoint-is-cli", _container(command=["wasmedge", "--dir", ".", "/hello.wasm"])),
    Fault("wasm-module-invalid", _container(image="localhost/wasmai-lab/truncated:1")),
    Fault(
        "image-not-present",
        _container(image="localhost/wasmai-lab/absent:1", imagePullPolicy="Never"),
    ),
)
