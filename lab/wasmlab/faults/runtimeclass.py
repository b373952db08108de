"""RuntimeClasses and handlers that are not there."""

from __future__ import annotations

from .model import Expected, Fault
from .objects import deployment, pod_spec, runtime_class

FAULTS = (
    Fault("healthy", (), (deployment(replicas=2),), r'"readyReplicas": 2'),
    Fault(
        "runtimeclass-missing",
        (Expected("runtimeclass-missing"),),
        (deployment(pod_spec(runtime_class="wasm-misspelt"), replicas=3),),
        r'RuntimeClass \\"wasm-misspelt\\" not found',
    ),
    Fault(
        "handler-not-configured",
        (Expected("handler-not-configured"),),
        (
            runtime_class("wasmedge", "wasmedge"),
            deployment(pod_spec(runtime_class="wasmedge"), replicas=2),
        ),
        r"no runtime for",
    ),
)
