"""Models that are not where the server looks for them, and native code that crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import ALL, Expected, Fault
from .objects import COMPAT_SMART, container, deployment, pod_spec

if TYPE_CHECKING:
    from .model import Object

MOUNT = [{"name": "model", "mountPath": "/models", "readOnly": True}]


def _mounting(path: str, type_: str) -> Object:
    volume = {"name": "model", "hostPath": {"path": path, "type": type_}}
    return pod_spec(container(volumeMounts=MOUNT), volumes=[volume])


def _pod(spec: Object) -> Object:
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _crashing(signal: str) -> Object:
    """Crun itself dies in the plugin that it loads."""
    main = container(
        image=f"localhost/wasmai-lab/plugin-{signal}:1",
        env=[{"name": "WASMEDGE_PLUGIN_PATH", "value": "/plugin"}],
    )
    return deployment(pod_spec(main))


def _serving(*arguments: str) -> Object:
    env = [{"name": "WASMEDGE_WASINN_PRELOAD", "value": "default:GGML:AUTO:/models/m.gguf"}]
    words = ["--model-name", "tiny", *arguments]
    return deployment(
        pod_spec(container(command=["/hello.wasm"], args=["llama-api-server", *words], env=env))
    )


FAULTS = (
    Fault(
        "model-volume-missing",
        (Expected("model-volume-missing"),),
        (deployment(_mounting("/srv/models", "Directory")),),
        r"hostPath type check failed",
    ),
    Fault(
        "model-volume-missing--pod",
        (Expected("model-volume-missing", kind="Pod"),),
        (_pod(_mounting("/srv/models/m.gguf", "File")), deployment(name="neighbour")),
        r"hostPath type check failed",
    ),
    Fault(
        "cpu-instruction-unsupported",
        (Expected("cpu-instruction-unsupported"),),
        (_crashing("sigill"),),
        r'"exitCode": 132',
        moments=ALL,
        forms=("no-logs",),
    ),
    Fault(
        "native-plugin-crash",
        (Expected("native-plugin-crash"),),
        (_crashing("sigsegv"), deployment(name="neighbour")),
        r'"exitCode": 139',
        moments=ALL,
    ),
    Fault(
        "model-alias-mismatch",
        (Expected("model-alias-mismatch"),),
        (_serving("--model-alias", "chat", "--prompt-template", "chatml"),),
        r'"readyReplicas": 1',
    ),
    Fault(
        "prompt-template-missing",
        (Expected("prompt-template-missing"),),
        (_serving("--model-alias", "default"),),
        r'"readyReplicas": 1',
    ),
)
