"""Texts and specs of Wasm containers that cannot start, or end when they should not."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    container,
    deployment,
    event,
    node,
    pod,
    pod_spec,
    replica_set,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes, diagnosis

from kubectl_wasmai.doctor import examine

STARTING = {
    "shim-binary-missing": 'runtime "io.containerd.wasmedge.v1" binary not installed '
    '"containerd-shim-wasmedge-v1": file does not exist',
    "shim-binary-missing by its path": "failed to start shim: failed to resolve runtime path: "
    "invalid custom binary path: stat /opt/kwasm/bin/containerd-shim-wasmedge-v1: no such file or "
    "directory: unknown",
    "shim-wrong-architecture": "failed to start shim: start failed: : fork/exec "
    "/opt/kwasm/bin/containerd-shim-wasmedge-v1: exec format error",
    "libwasmedge-missing": "could not load `libwasmedge.so.0`: `libwasmedge.so.0: cannot open "
    "shared object file: No such file or directory`",
    "wasm-handler-conflict": "invalid attempt to override already configured global handler",
    "wasm-entrypoint-missing": "failed to generate spec: no command specified",
    "wasm-module-not-found": "executable file `/other.wasm` not found in $PATH",
    "wasm-entrypoint-not-wasm": "executable file `server` not found in $PATH",
}

RUNNING = {
    "wasm-import-unknown": '    When linking module: "env" , function name: "host_add"',
    "wasm-trap": "[error] execution failed: unreachable, Code: 0x89",
    "wasm-module-invalid": "[error] loading failed: illegal opcode, Code: 0x117",
    "wasm-handler-forced-on-linux-binary": "[error] load library failed:/bin/busybox: cannot load",
}


def stuck(owner: dict[str, Any], reason: str = "ContainerCreating") -> dict[str, Any]:
    return pod(owner=owner, ready=False, statuses=waiting(reason))


@pytest.mark.parametrize(("cause", "text"), STARTING.items(), ids=STARTING)
def test_what_the_runtime_says_of_a_container_it_cannot_start(cause: str, text: str) -> None:
    web = deployment()
    waits = stuck(web)

    report = examine(
        snapshot(web, waits, event(waits, "FailedCreatePodSandBox", text), runtime_class())
    )

    assert causes(report) == [cause.partition(" ")[0]]


@pytest.mark.parametrize(("cause", "text"), RUNNING.items(), ids=RUNNING)
def test_what_the_engine_says_of_a_module_it_cannot_run(cause: str, text: str) -> None:
    web = deployment()
    crashed = stuck(web, "CrashLoopBackOff")

    report = examine(
        snapshot(web, crashed, runtime_class(), logs={("web-5d9-x", "main"): text + "\n"})
    )

    assert causes(report) == [cause]


def test_a_node_whose_control_groups_are_too_old_is_itself_the_subject() -> None:
    web = deployment()
    waits = stuck(web)
    text = "v1 cgroup feature is required, but was not enabled during compile time"

    report = examine(snapshot(web, waits, event(waits, "Failed", text), runtime_class()))

    assert str(diagnosis(report).subject) == "Node node1"
    assert "Deployment default/web" in diagnosis(report).explains


def test_a_selector_that_contradicts_the_classs_is_found_before_any_event() -> None:
    web = deployment(spec=pod_spec(nodeSelector={"wasm": "no"}), current=0)
    class_ = runtime_class(scheduling={"nodeSelector": {"wasm": "yes"}})

    report = examine(snapshot(web, replica_set(web, current=0), class_, node()))

    assert "runtimeclass-selector-conflict" in causes(report)


def test_an_overhead_written_by_hand_is_compared_with_the_classs() -> None:
    class_ = runtime_class(overhead={"podFixed": {"memory": "10Mi"}})
    wrong = deployment(spec=pod_spec(overhead={"memory": "20Mi"}))
    right = deployment(spec=pod_spec(overhead={"memory": "10Mi"}))

    assert causes(examine(snapshot(wrong, class_))) == ["runtimeclass-overhead-mismatch"]
    assert causes(examine(snapshot(right, pod(owner=right), class_))) == []


def test_a_class_whose_label_no_node_has_explains_the_pending_pods() -> None:
    web = deployment()
    pending = pod(owner=web, ready=False, statuses=[], node="")
    class_ = runtime_class(scheduling={"nodeSelector": {"wasm": "yes"}})

    assert causes(examine(snapshot(web, pending, class_, node()))) == [
        "runtimeclass-no-matching-node"
    ]
    labelled = node(labels={"wasm": "yes"})
    assert causes(examine(snapshot(web, pending, class_, labelled))) == []


PROBE = {"exec": {"command": ["sh"]}}


@pytest.mark.parametrize("field", ["readinessProbe", "livenessProbe", "startupProbe"])
def test_an_exec_probe_on_a_wasm_container_is_found_in_the_spec(field: str) -> None:
    probed: dict[str, Any] = {field: PROBE}
    web = deployment(spec=pod_spec(container(**probed)))

    assert causes(examine(snapshot(web, pod(owner=web), runtime_class()))) == [
        "exec-probe-unsupported"
    ]


def test_an_exec_probe_on_a_linux_sidecar_is_right() -> None:
    sidecar = container("proxy", command=["/proxy"], livenessProbe=PROBE)
    web = deployment(spec=pod_spec(container(command=["/app.wasm"]), sidecar))

    assert causes(examine(snapshot(web, pod(owner=web), runtime_class()))) == []


def completed(owner: dict[str, Any]) -> dict[str, Any]:
    end = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    back_off = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "main", "ready": False, "restartCount": 2, "state": back_off}
    return pod(owner=owner, ready=False, statuses=[{**status, "lastState": end}])


def test_a_server_that_completes_with_zero_again_and_again_hides_its_exit_code() -> None:
    web = deployment()

    assert causes(examine(snapshot(web, completed(web), runtime_class()))) == ["wasm-exit-masked"]


def test_the_hidden_exit_code_is_no_cause_where_the_log_tells_the_real_one() -> None:
    web = deployment()
    log = {("web-5d9-x", "main"): RUNNING["wasm-trap"]}

    assert causes(examine(snapshot(web, completed(web), runtime_class(), logs=log))) == [
        "wasm-trap"
    ]


def test_compat_on_a_pod_with_a_linux_sidecar_is_found_in_the_spec() -> None:
    spec = pod_spec(container(command=["/app.wasm"]), container("proxy", command=["/proxy"]))
    web = deployment(spec=spec, annotations={"module.wasm.image/variant": "compat"})
    log = {("web-5d9-x", "main"): "loading failed: magic header not detected, Code: 0x103"}

    report = examine(snapshot(web, stuck(web, "CrashLoopBackOff"), runtime_class(), logs=log))

    assert causes(report) == ["wasm-handler-forced-on-linux-binary"]


def test_a_program_that_a_probe_looks_for_is_not_the_container_s_own() -> None:
    probe = {"exec": {"command": ["cat", "/ready"]}}
    web = deployment(spec=pod_spec(container(startupProbe=probe)))
    waits = pod(owner=web, ready=False, statuses=waiting(""))
    text = (
        "Startup probe errored and resulted in unknown state: rpc error: code = Unknown desc = "
        "failed to exec in container: OCI runtime exec failed: exec failed: executable file `cat` "
        "not found in $PATH: No such file or directory: unknown"
    )

    report = examine(snapshot(web, waits, event(waits, "Unhealthy", text), runtime_class()))

    assert causes(report) == ["exec-probe-unsupported"]
