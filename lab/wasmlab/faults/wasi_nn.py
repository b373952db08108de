"""WASI-NN asked for where no plugin offers it, and settings that do not do what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import Expected, Fault
from .objects import BUSYBOX, COMPAT_SMART, container, deployment, pod_spec

if TYPE_CHECKING:
    from .model import Object

LAB = "localhost/wasmai-lab"
LINKING = r"wasi_ephemeral_nn"
READY = r'"readyReplicas": 1'
PRELOAD = "WASMEDGE_WASINN_PRELOAD"


def _env(**values: str) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _asking(name: str, **more: Any) -> Object:
    """A container of one of the modules that ask for a plugin: no server, no probe."""
    return container(image=f"{LAB}/{name}:1", readinessProbe=None, ports=None, **more)


def _job(spec: Object) -> Object:
    template = {
        "metadata": {"annotations": COMPAT_SMART},
        "spec": {**spec, "restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "web"},
        "spec": {"backoffLimit": 1, "template": template},
    }


def _cli(*words: str) -> Object:
    """The node's own ``wasmedge`` in a Linux container: the embedded mode."""
    places = {"usr": "/usr", "lib": "/usr/lib", "lib64": "/usr/lib64"}
    volumes = [{"name": name, "hostPath": {"path": path}} for name, path in places.items()]
    mounts = [{"name": name, "mountPath": f"/{name}", "readOnly": True} for name in places]
    main = container(
        image=BUSYBOX,
        command=["/usr/bin/wasmedge", *words],
        readinessProbe=None,
        volumeMounts=mounts,
    )
    return deployment(pod_spec(main, runtime_class=None, volumes=volumes), annotations={})


FAULTS = (
    Fault(
        "wasi-nn-plugin-missing",
        (Expected("wasi-nn-plugin-missing"),),
        (deployment(pod_spec(_asking("nn-import"))),),
        r"WASI-NN plugin not installed",
    ),
    Fault(
        "wasi-nn-plugin-missing--llama",
        (Expected("wasi-nn-plugin-missing"),),
        (
            deployment(
                pod_spec(
                    _asking(
                        "llama-import",
                        env=_env(WASMEDGE_WASINN_PRELOAD="default:GGML:AUTO:/models/m.gguf"),
                    )
                )
            ),
            deployment(name="neighbour"),
        ),
        LINKING,
    ),
    Fault(
        "wasi-nn-plugin-missing--job",
        (Expected("wasi-nn-plugin-missing", kind="Job"),),
        (_job(pod_spec(_asking("llama-import"))),),
        LINKING,
    ),
    Fault(
        "wasi-nn-plugin-missing--cli",
        (Expected("wasi-nn-plugin-missing"),),
        (_cli("--nn-preload", "default:GGML:AUTO:/models/m.gguf", "/app.wasm"),),
        r"(?i)unknown option",
    ),
    Fault(
        "wasi-logging-missing",
        (Expected("wasi-logging-missing"),),
        (deployment(pod_spec(_asking("logging-import"))),),
        r"(?i)wasi.logging",
    ),
    Fault(
        "wasi-nn-backend-env-ineffective",
        (Expected("wasi-nn-backend-env-ineffective"),),
        (deployment(pod_spec(container(env=_env(WASMEDGE_PLUGIN_WASI_NN_BACKEND="cuda")))),),
        READY,
    ),
    Fault(
        "wasi-nn-preload-invalid",
        (Expected("wasi-nn-preload-invalid"),),
        (
            deployment(
                pod_spec(container(env=_env(WASMEDGE_WASINN_PRELOAD="default:GGLM:/m.gguf")))
            ),
        ),
        READY,
    ),
    Fault(
        "wasi-nn-preload-ignored",
        (Expected("wasi-nn-preload-ignored"),),
        (
            deployment(
                pod_spec(
                    container(
                        env=_env(
                            WASMEDGE_WASINN_PRELOAD="default:GGML:AUTO:/m/chat.gguf,"
                            "embedding:GGML:AUTO:/m/embed.gguf"
                        )
                    )
                )
            ),
        ),
        READY,
    ),
    Fault(
        "onnx-backend-unsupported",
        (Expected("onnx-backend-unsupported"),),
        (
            deployment(
                pod_spec(container(env=_env(WASMEDGE_WASINN_PRELOAD="default:ONNX:CPU:/m.onnx")))
            ),
        ),
        READY,
    ),
)
