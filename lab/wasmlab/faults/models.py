"""Models that are not where the server looks for them, and native code that crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Expected, Fault
from .objects import BUSYBOX, COMPAT_SMART, container, deployment, pod_spec

if TYPE_CHECKING:
    from .model import Object

MOUNT = [{"name": "model", "mountPath": "/models", "readOnly": True}]


def _mounting(path: str, type_: str) -> Object:
    volume = {"name": "model", "hostPath": {"path": path, "type": type_}}
    return pod_spec(container(volumeMounts=MOUNT), volumes=[volume])


def _pod(spec: Object) -> Object:
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _killed(signal: str) -> Object:
    """The exit code alone, as a plugin's native code would give it: a child of the shell dies,
    since process 1 of a container does not get its own signals."""
    script = f"sh -c 'kill -{signal} $$'; exit $?"
    main = container(
        image=BUSYBOX,
        command=["/bin/busybox", "sh", "-c", script.replace("sh -c", "/bin/busybox sh -c")],
        env=[{"name": "WASMEDGE_PLUGIN_PATH", "value": "/plugin"}],
        readinessProbe=None,
    )
    return deployment(pod_spec(main, runtime_class=None), annotations={})


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
        (_killed("ILL"),),
        r'"exitCode": 132',
    ),
    Fault(
        "native-plugin-crash",
        (Expected("native-plugin-crash"),),
        (_killed("SEGV"),),
        r'"exitCode": 139',
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
