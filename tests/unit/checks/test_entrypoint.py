from __future__ import annotations

import json

from builders import container, deployment, pod, pod_spec, runtime_class, snapshot, waiting
from examining import causes, diagnosis

from kubectl_wasmai.doctor import examine

EXEC_FORMAT = "exec container process `/hello.wasm`: Exec format error"


def crashed(owner: dict[str, object]) -> dict[str, object]:
    return pod(owner=owner, ready=False, statuses=waiting("CrashLoopBackOff", restarts=3))


def log(text: str) -> dict[tuple[str, str], str]:
    return {("web-5d9-x", "main"): f"2026-01-01T11:59:00.000000000Z {text}\n"}


def test_an_engine_as_command_under_a_wasm_class_is_found_from_the_spec_alone() -> None:
    command = ["wasmedge", "--dir", ".", "/llama.wasm", "--ctx-size", "512"]
    web = deployment(spec=pod_spec(container(command=command)))

    report = examine(snapshot(web, runtime_class()))

    assert causes(report) == ["wasm-entrypoint-is-cli"]
    patch = diagnosis(report).remedy.commands[0].partition("-p ")[2].strip("'")
    assert json.loads(patch)[0]["value"] == ["/llama.wasm", "--ctx-size", "512"]


def test_an_engine_as_command_in_an_ordinary_container_is_right() -> None:
    spec = pod_spec(container(command=["wasmedge", "/app.wasm"]), runtime_class=None)
    web = deployment(spec=spec)

    assert causes(examine(snapshot(web, pod(owner=web)))) == []


def test_exec_format_error_without_annotation_means_the_annotation_is_missing() -> None:
    web = deployment(annotations={})

    report = examine(snapshot(web, crashed(web), runtime_class(), logs=log(EXEC_FORMAT)))

    assert causes(report) == ["wasm-annotation-missing"]
    (evidence,) = diagnosis(report).evidence
    assert evidence.text == EXEC_FORMAT
    assert evidence.time is not None


def test_exec_format_error_with_annotation_means_the_runtime_does_not_pass_it() -> None:
    web = deployment()

    report = examine(snapshot(web, crashed(web), runtime_class(), logs=log(EXEC_FORMAT)))

    assert [(each.cause, each.certainty.value) for each in report.diagnoses] == [
        ("wasm-annotation-not-passed", "likely"),
        ("runtime-lacks-wasm-support", "possible"),
    ]


def test_an_annotation_on_the_deployment_itself_is_misplaced() -> None:
    misplaced = {"module.wasm.image/variant": "compat-smart"}
    web = deployment(annotations={}, own_annotations=misplaced)

    report = examine(snapshot(web, crashed(web), runtime_class(), logs=log(EXEC_FORMAT)))

    assert causes(report) == ["wasm-annotation-misplaced"]


def test_a_crun_wasm_handler_needs_no_annotation() -> None:
    web = deployment(annotations={}, spec=pod_spec(container(command=["/app.wasm"])))

    report = examine(snapshot(web, pod(owner=web), runtime_class("wasm", "crun-wasm")))

    assert causes(report) == []


def test_a_module_that_cannot_be_loaded_is_told_from_one_that_is_not_there() -> None:
    web = deployment()
    for text, cause in (
        ("[error] loading failed: magic header not detected, Code: 0x23", "wasm-module-invalid"),
        ("[error] loading failed: length out of bounds, Code: 0x107", "wasm-module-invalid"),
        ("[error] loading failed: invalid path, Code: 0x100", "wasm-module-not-found"),
    ):
        report = examine(snapshot(web, crashed(web), runtime_class(), logs=log(text)))
        assert causes(report) == [cause]


def test_an_error_in_the_log_of_a_pod_that_is_well_now_is_history() -> None:
    web = deployment()
    text = "[error] loading failed: length out of bounds, Code: 0x107"

    assert causes(examine(snapshot(web, pod(owner=web), runtime_class(), logs=log(text)))) == []
