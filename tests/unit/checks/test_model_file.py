from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import container, deployment, pod, pod_spec, runtime_class, snapshot
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry

PRELOAD = "WASMEDGE_WASINN_PRELOAD"
CHAT = "llama-2-7b-chat.Q4_K_M.gguf"


def env(value: str) -> list[dict[str, str]]:
    return [{"name": PRELOAD, "value": value}]


def answer(check: str, spec: dict[str, Any], *, ready: bool = False) -> CheckEntry:
    web = deployment(spec=spec)
    told = examine(snapshot(web, pod(owner=web, ready=ready), runtime_class()))
    return [each for each in told.checks if each.id == check][-1]


def ready(*containers: dict[str, Any], up: bool = False, **more: Any) -> CheckEntry:
    return answer("model-file-ready", pod_spec(*containers, **more), ready=up)


SOURCES = {
    "claim models": {"persistentVolumeClaim": {"claimName": "models"}},
    "image models:1": {"image": {"reference": "models:1"}},
    "/srv/models of each node that may run it": {"hostPath": {"path": "/srv/models"}},
    "volume models": {"nfs": {"server": "s"}},
}


@pytest.mark.parametrize(("told", "source"), SOURCES.items(), ids=SOURCES)
def test_a_person_is_told_where_the_file_is_to_come_from(told: str, source: dict[str, Any]) -> None:
    each = container(
        env=env("default:GGML:AUTO:/models/m.gguf"),
        volumeMounts=[{"name": "models", "mountPath": "/models"}],
    )

    result_ = ready(each, volumes=[{"name": "models", **source}])
    assert result_.status.value == "MANUAL"
    assert f"/models/m.gguf, from {told}" in result_.reason


def test_a_file_that_no_mount_covers_must_be_in_the_image() -> None:
    each = container(
        env=env("default:GGML:AUTO:/models-2/m.gguf"),
        volumeMounts=[{"name": "models", "mountPath": "/models"}],
    )

    assert "from image example.test/model:1" in ready(each).reason


@pytest.mark.parametrize("filled", [True, False])
def test_an_empty_volume_needs_somebody_who_fills_it(filled: bool) -> None:
    mount: dict[str, Any] = {"volumeMounts": [{"name": "models", "mountPath": "/models"}]}
    each = container(env=env("default:GGML:AUTO:/models/m.gguf"), **mount)
    fetch: dict[str, Any] = {"initContainers": [container("fetch", **mount)]} if filled else {}

    result_ = ready(each, volumes=[{"name": "models", "emptyDir": {}}], **fetch)
    assert result_.status.value == ("MANUAL" if filled else "WARN")


def test_a_form_that_the_backend_does_not_read_is_a_warning() -> None:
    result_ = ready(container(env=env("default:GGML:AUTO:/m/model.onnx")))

    assert result_.status.value == "WARN"
    assert "GGML, which reads .gguf" in result_.reason


def test_a_server_that_listens_after_loading_proves_its_model() -> None:
    server = ["/llama-api-server.wasm", "--model-name", "m", "--prompt-template", "chatml"]
    each = container(command=server, env=env("default:GGML:AUTO:/m/m.gguf"))

    assert ready(each, up=True).status.value == "PASS"
    assert ready({**each, "readinessProbe": None}, up=True).status.value == "MANUAL"


def test_before_anything_is_deployed_a_person_is_told_what_to_look_at() -> None:
    told = result(examine(snapshot()), "model-file-ready")

    assert told.status.value == "MANUAL"
    assert "SHA-256" in told.reason


def test_a_workload_without_a_model_is_skipped() -> None:
    assert ready(container()).status.value == "SKIP"


def fits(limit: str | None, *arguments: str, preload: bool = True, **more: Any) -> CheckEntry:
    path = f"/m/{CHAT}"
    limits = {"memory": limit} if limit else {}
    source: dict[str, Any] = {"env": env(f"default:GGML:AUTO:{path}")} if preload else {}
    extra = [] if preload else ["--model", path]
    each = container(
        command=["/server.wasm"], args=[*arguments, *extra], resources={"limits": limits},
        **source, **more,
    )  # fmt: skip
    return answer("memory-fits-model", pod_spec(each))


@pytest.mark.parametrize(
    ("limit", "arguments", "status"),
    [
        ("8Gi", [], "PASS"),
        ("6Gi", [], "WARN"),
        ("6Gi", ["--ctx-size", "1024"], "PASS"),
        ("6Gi", ["-c", "1024"], "PASS"),
        ("2Gi", ["--ctx-size", "512"], "WARN"),
        (None, [], "SKIP"),
    ],
)
def test_model_and_context_are_compared_with_the_limit(
    limit: str | None, arguments: list[str], status: str
) -> None:
    told = fits(limit, *arguments)

    assert told.status.value == status
    assert "model about 4.2 GB" in (*(e.text for e in told.evidence), told.reason)[0]


def test_no_limit_helps_where_the_module_itself_reads_more_than_4_gib() -> None:
    told = fits("16Gi", preload=False)

    assert told.status.value == "WARN"
    assert "no 32-bit Wasm memory" in told.reason


def test_a_model_on_a_gpu_is_not_judged_by_the_memory_limit() -> None:
    each = container(
        command=["/server.wasm"],
        env=env(f"default:GGML:AUTO:/m/{CHAT}"),
        resources={"limits": {"memory": "1Gi", "nvidia.com/gpu": 1}},
    )

    assert answer("memory-fits-model", pod_spec(each)).status.value == "SKIP"


def test_a_name_that_does_not_tell_the_size_is_unknown() -> None:
    told = answer("memory-fits-model", pod_spec(container(env=env("d:GGML:CPU:/m/model.gguf"))))

    assert told.status.value == "UNKNOWN"
    assert CHAT in told.needs


def plugin(spec: dict[str, Any], *objects: dict[str, Any], up: bool = False) -> CheckEntry:
    web = deployment(spec=spec)
    classes = objects or (runtime_class(),)
    seen = snapshot(web, pod(owner=web, ready=up), *classes)
    return result(examine(seen), "wasi-nn-plugin-fits")


WITH_PATH = [
    {"name": PRELOAD, "value": "default:GGML:AUTO:/m/m.gguf"},
    {"name": "WASMEDGE_PLUGIN_PATH", "value": "/opt/wasmedge-0.14.1/plugin"},
]


def test_crun_loads_a_plugin_only_where_its_path_is_named() -> None:
    without = plugin(pod_spec(container(env=WITH_PATH[:1])))
    named = plugin(pod_spec(container(env=WITH_PATH)))

    assert (without.status.value, named.status.value) == ("WARN", "UNKNOWN")
    assert "WASMEDGE_PLUGIN_PATH" in without.reason
    assert "crun --version" in named.needs


def test_released_shims_load_no_plugins() -> None:
    told = plugin(
        pod_spec(container(env=WITH_PATH), runtime_class="wasmedge"),
        runtime_class("wasmedge", "wasmedge"),
    )

    assert told.status.value == "WARN"
    assert "runwasi" in told.reason


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("wasmedge/slim:0.14.0", "WARN"),
        ("wasmedge/slim:0.16.0", "UNKNOWN"),
        ("wasmedge/slim:v0.17.0", "WARN"),
        ("example.test/model:0.13.5", "UNKNOWN"),
    ],
)
def test_versions_that_share_no_plugin_api_are_told(image: str, status: str) -> None:
    each = container(image=image, command=["wasmedge", "/a.wasm"], env=WITH_PATH)

    assert plugin(pod_spec(each, runtime_class=None)).status.value == status


def test_versions_are_read_from_volumes_too() -> None:
    volumes = [
        {"name": "a", "hostPath": {"path": "/opt/wasmedge/0.13.5/lib"}},
        {"name": "b", "image": {"reference": "x/wasmedge-plugins:0.15.0"}},
    ]

    told = plugin(pod_spec(container(env=WITH_PATH), volumes=volumes))
    assert told.status.value == "WARN"
    assert len(told.evidence) == 3


def test_a_workload_without_wasi_nn_needs_no_plugin() -> None:
    assert plugin(pod_spec()).status.value == "SKIP"
