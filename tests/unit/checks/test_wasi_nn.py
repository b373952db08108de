from __future__ import annotations

from typing import Any

import pytest
from builders import (
    container,
    deployment,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes

from kubectl_wasmai.doctor import examine

GOOD = "default:GGML:AUTO:/models/m.gguf"
TWO = f"{GOOD},embedding:GGML:AUTO:/models/e.gguf"
SERVER = ["/llama-api-server.wasm", "--model-name", "tiny"]


def env(name: str, value: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value}]


def claimed(runtime: str | None = "wasm", **more: Any) -> list[str]:
    web = deployment(
        spec=pod_spec(container(**more), runtime_class=runtime),
        annotations=None if runtime else {},
    )
    return causes(examine(snapshot(web, pod(owner=web), runtime_class())))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (GOOD, []),
        ("default:ggml:cpu:/models/a:b.gguf", []),
        ("default:GGML:AUTO:$(MODEL)", []),
        ("default:GGML:/models/m.gguf", ["wasi-nn-preload-invalid"]),
        ("default:GGLM:AUTO:/models/m.gguf", ["wasi-nn-preload-invalid"]),
        ("default:ONNX:CPU:/models/m.onnx", ["onnx-backend-unsupported"]),
        (TWO, ["wasi-nn-preload-ignored"]),
    ],
)
def test_a_preload_is_judged_as_the_engine_would_read_it(value: str, expected: list[str]) -> None:
    assert claimed(env=env("WASMEDGE_WASINN_PRELOAD", value)) == expected


def test_the_wasmedge_program_in_an_ordinary_image_takes_several_preloads() -> None:
    flags = ["--nn-preload", GOOD, "--nn-preload", "embedding:GGML:AUTO:/models/e.gguf"]

    assert claimed(None, command=["wasmedge", *flags, "/app.wasm"]) == []


def test_the_backend_variable_is_named_as_without_effect() -> None:
    variables = env("WASMEDGE_PLUGIN_WASI_NN_BACKEND", "cuda")

    assert claimed(env=variables) == ["wasi-nn-backend-env-ineffective"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--prompt-template", "chatml"], []),
        (["--prompt-template=chatml", "--model-alias=default"], []),
        ([], ["prompt-template-missing"]),
        (["--prompt-template", "chatml,embedding"], ["prompt-template-missing"]),
        (["--prompt-template", "chatml", "--model-alias", "chat"], ["model-alias-mismatch"]),
    ],
)
def test_names_and_templates_of_the_server_agree(options: list[str], expected: list[str]) -> None:
    variables = env("WASMEDGE_WASINN_PRELOAD", GOOD)

    assert claimed(command=[*SERVER, *options], env=variables) == expected


def test_arguments_alone_tell_of_an_alias_that_no_preload_has() -> None:
    """The image's own entrypoint is the server; the pod only adds arguments."""
    variables = env("WASMEDGE_WASINN_PRELOAD", GOOD)

    assert claimed(env=variables, args=["--model-alias", "chat"]) == ["model-alias-mismatch"]
    assert claimed(env=variables, args=["--model-alias", "default"]) == []
    assert claimed(env=variables, args=["--port", "8080"]) == []


def test_the_image_tells_which_server_it_is() -> None:
    arguments = ["--model-name", "tiny"]

    assert claimed(image="example.test/llama-api-server:1", args=arguments) == [
        "prompt-template-missing"
    ]


def test_arguments_that_are_not_the_server_s_leave_its_own_to_the_image() -> None:
    image = "example.test/llama-api-server:1"

    assert claimed(image=image, args=["--cache-mib=200"]) == []
    assert claimed(image=image) == []


def test_a_library_that_the_plugin_lacks_is_not_a_missing_module() -> None:
    """WasmEdge 0.14.1: the same code tells of a path and of a library."""
    log = """\
[error] loading failed: invalid path, Code: 0x100
[error]     load library failed:libsimdjson.so.25: cannot open shared object file: No such file
[error] instantiation failed: unknown import, Code: 0x302
[error]     When linking module: "wasi_ephemeral_nn" , function name: "load_by_name_with_config"
"""
    web = deployment()
    crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))

    report = examine(snapshot(web, crashed, runtime_class(), logs={("web-5d9-x", "main"): log}))

    assert causes(report) == ["wasi-nn-plugin-dependency-missing"]


def test_a_preload_that_fails_for_its_backend_is_no_missing_file() -> None:
    log = """\
[error] [WASI-NN] Preload model fail.
[error] [WASI-NN] ONNX backend is not supported.
"""
    variables = env("WASMEDGE_WASINN_PRELOAD", "default:ONNX:CPU:/models/m.onnx")
    for spec in (pod_spec(container(env=variables)), pod_spec()):
        web = deployment(spec=spec)
        crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))

        report = examine(snapshot(web, crashed, runtime_class(), logs={("web-5d9-x", "main"): log}))

        assert causes(report) == ["onnx-backend-unsupported"]
