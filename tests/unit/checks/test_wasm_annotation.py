from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    LONG_AGO,
    NOW,
    container,
    deployment,
    node,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    waiting,
)
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry

MODULE = container(command=["/app.wasm"])


def answer(*objects: dict[str, Any], **more: Any) -> CheckEntry:
    return result(examine(snapshot(*objects, **more)), "wasm-annotation-effective")


def status(*objects: dict[str, Any], **more: Any) -> str:
    return answer(*objects, **more).status.value


def test_a_module_that_runs_under_the_annotation_proves_it() -> None:
    web = deployment()

    told = answer(web, pod(owner=web), runtime_class())
    assert told.status.value == "PASS"
    assert told.reason.startswith("module.wasm.image/variant: compat-smart")


def test_set_and_not_yet_run_is_unknown() -> None:
    web = deployment(spec=pod_spec(MODULE))
    waits = pod(owner=web, ready=False, statuses=waiting("ContainerCreating"))

    told = answer(web, waits, runtime_class())
    assert told.status.value == "UNKNOWN"
    assert "pod_annotations" in told.needs


def test_under_k3s_own_crun_it_is_known_not_to_be_passed_on() -> None:
    k3s = node()
    k3s["status"]["nodeInfo"] = {"kubeletVersion": "v1.33.1+k3s1"}
    web = deployment(spec=pod_spec(MODULE))
    waits = pod(owner=web, ready=False, statuses=waiting("ContainerCreating"))

    assert status(web, waits, runtime_class(), k3s) == "WARN"
    assert status(web, pod(owner=web), runtime_class(), k3s) == "PASS"


def test_the_engine_s_own_words_prove_it_though_the_module_fails() -> None:
    web = deployment(spec=pod_spec(MODULE))
    crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))
    line = "[2026-01-01 11:59:00.000] [error] loading failed: illegal opcode, Code: 0x117"

    told = answer(web, crashed, runtime_class(), logs={("web-5d9-x", "main"): line})
    assert told.status.value == "PASS"
    assert told.evidence[0].source == "log"


def running(name: str, since: str) -> dict[str, Any]:
    return {"name": name, "ready": False, "state": {"running": {"startedAt": since}}}


@pytest.mark.parametrize(("since", "expected"), [(LONG_AGO, "PASS"), (NOW, "UNKNOWN")])
def test_a_module_that_goes_on_running_was_not_refused_by_the_kernel(
    since: str, expected: str
) -> None:
    web = deployment(spec=pod_spec(MODULE))
    starts = pod(owner=web, ready=False, statuses=[running("main", since)])

    assert status(web, starts, runtime_class()) == expected


def test_a_linux_sidecar_that_runs_proves_nothing() -> None:
    web = deployment(spec=pod_spec(MODULE, container("proxy", command=["/proxy"])))
    crashes = [*waiting("CrashLoopBackOff"), running("proxy", LONG_AGO)]

    assert status(web, pod(owner=web, ready=False, statuses=crashes), runtime_class()) == "UNKNOWN"


@pytest.mark.parametrize("annotations", [{}, {"module.wasm.image/variant": "smart"}])
def test_no_annotation_and_one_that_crun_does_not_know_are_as_bad(
    annotations: dict[str, str],
) -> None:
    module = deployment(spec=pod_spec(MODULE), annotations=annotations)
    image = deployment(annotations=annotations)
    starts: dict[str, Any] = {"ready": False, "statuses": waiting("ContainerCreating")}

    assert status(module, pod(owner=module, **starts), runtime_class()) == "FAIL"
    assert status(image, pod(owner=image, **starts), runtime_class()) == "WARN"


def test_on_the_workload_alone_it_has_no_effect() -> None:
    misplaced = {"module.wasm.image/variant": "compat-smart"}
    web = deployment(annotations={}, own_annotations=misplaced)

    assert status(web, runtime_class()) == "FAIL"


@pytest.mark.parametrize(("handler", "expected"), [("wasmedge", "SKIP"), ("crun-wasm", "WARN")])
def test_a_handler_that_forces_wasm_refuses_a_second_choice(handler: str, expected: str) -> None:
    web = deployment(annotations={"run.oci.handler": "wasm"})

    assert status(web, runtime_class(handler=handler)) == expected


@pytest.mark.parametrize(
    ("spec", "handler"),
    [(pod_spec(container(command=["/bin/server"])), "crun"), (pod_spec(), "runc")],
)
def test_where_nothing_is_to_run_as_wasm_it_is_not_asked(
    spec: dict[str, Any], handler: str
) -> None:
    web = deployment(spec=spec)

    assert status(web, pod(owner=web), runtime_class(handler=handler)) == "SKIP"


def no_exec(*objects: dict[str, Any]) -> str:
    return result(examine(snapshot(*objects)), "no-exec-in-wasm").status.value


def test_exec_in_a_wasm_container_fails_and_in_a_sidecar_does_not() -> None:
    probe = {"exec": {"command": ["sh"]}}
    wrong = deployment(spec=pod_spec(container(command=["/app.wasm"], livenessProbe=probe)))
    right = deployment(spec=pod_spec(MODULE, container("p", command=["/p"], livenessProbe=probe)))

    assert no_exec(wrong, runtime_class()) == "FAIL"
    assert no_exec(right, runtime_class()) == "PASS"


def test_where_nobody_can_say_what_runs_as_wasm_exec_is_not_judged() -> None:
    web = deployment(spec=pod_spec(container(), container("other")))

    assert no_exec(web, runtime_class()) == "SKIP"
