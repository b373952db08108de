"""Models that WasmEdge's real WASI-NN plugin loads, or rather does not.

Needs the plugin: ``lab/lab build --wasi-nn``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasmlab.errors import LabError
from wasmlab.images import ensure_images, module_of
from wasmlab.oci import Image
from wasmlab.paths import architecture, wasi_nn

from .images import loaded
from .model import ALL, Expected, Fault, Step
from .module import controlled
from .objects import container, deployment, pod_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasmlab.client import Lab

    from .model import Object

NAME = "registry.example.com/llama/api-server"
PRELOAD = "WASMEDGE_WASINN_PRELOAD"


def _image(tag: str, plugin: str, model: slice | None = None, *, whole: bool = True) -> Step:
    """The server with a plugin beside it, and part of a model. ``whole``: with the library that
    the plugin needs."""

    def do(lab: Lab, namespace: str) -> None:
        if not wasi_nn().exists():
            raise LabError("the WASI-NN plugin is not built", "lab/lab build --wasi-nn")
        files: dict[str, bytes] = {
            "/llama-api-server.wasm": module_of(ensure_images(), "llama-server")
        }
        for file in (wasi_nn() / plugin).iterdir():
            if whole or file.name.startswith("libwasmedge"):
                files[f"/plugin/{file.name}"] = file.read_bytes()
        if model is not None:
            files["/models/m.gguf"] = (wasi_nn() / "vocabulary.gguf").read_bytes()[model]
        image = Image(
            f"{NAME}:{tag}", files, ["/llama-api-server.wasm"], architecture=architecture()
        )
        loaded(lambda: image).do(lab, namespace)

    return Step(do)


def _server(tag: str, preload: str, *words: str) -> Object:
    variables: Mapping[str, str] = {"WASMEDGE_PLUGIN_PATH": "/plugin", PRELOAD: preload}
    env = [{"name": name, "value": value} for name, value in variables.items()]
    args = ["--model-name", "llama-2-7b", "--prompt-template", "llama-2-chat", *words]
    probe = {"httpGet": {"path": "/v1/models", "port": 8080}, "periodSeconds": 3}
    return pod_spec(container(image=f"{NAME}:{tag}", args=args, env=env, readinessProbe=probe))


GGML = "default:GGML:AUTO:/models/m.gguf"


def _loading(name: str, image: Step, spec: Object, shows: str, **more: Any) -> Fault:
    kind = more.pop("kind", "Deployment")
    workload = deployment(spec) if kind == "Deployment" else controlled(kind, spec)
    return Fault(
        name,
        (Expected(name.partition("--")[0], kind),),
        (workload, deployment(name="neighbour")),
        shows,
        first=(image,),
        moments=ALL,
        **more,
    )


FAULTS = (
    _loading(
        "model-file-missing",
        _image("no-model", "ggml"),
        _server("no-model", GGML),
        r"(?i)model file not found|unable to init model",
        forms=("plain-logs", "one-list"),
    ),
    _loading(
        "model-file-missing--truncated",
        _image("half-model", "ggml", slice(0, 100_000)),
        _server("half-model", GGML),
        r"(?i)unable to init model",
    ),
    _loading(
        "model-file-missing--stateful",
        _image("no-weights", "ggml", slice(None)),
        _server("no-weights", GGML),
        r"(?i)unable to init model",
        kind="StatefulSet",
    ),
    _loading(
        "wasi-nn-plugin-dependency-missing",
        _image("no-library", "ggml", slice(None), whole=False),
        _server("no-library", GGML),
        r"load library failed",
        forms=("namespace",),
    ),
    _loading(
        "wasi-nn-plugin-wrong-backend",
        _image("no-backend", "no-backend", slice(None)),
        _server("no-backend", GGML),
        r"backend is not built",
    ),
    _loading(
        "model-alias-mismatch--loaded",
        _image("alias", "ggml", slice(None)),
        _server("alias", GGML, "--model-alias", "chat"),
        r"Failed to create graph",
        forms=("no-logs",),
    ),
    _loading(
        "wasi-nn-preload-invalid--loaded",
        _image("preload", "ggml", slice(None)),
        _server("preload", "default:GGLM:AUTO:/models/m.gguf"),
        r"Preload Model's Backend or Device",
    ),
    _loading(
        "onnx-backend-unsupported--loaded",
        _image("onnx", "ggml", slice(None)),
        _server("onnx", "default:ONNX:CPU:/models/m.onnx"),
        r"ONNX backend is not supported",
    ),
)
