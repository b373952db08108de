from __future__ import annotations

import pytest
from builders import (
    deployment,
    event,
    node,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes, diagnosis, result

from kubectl_wasmai.doctor import Options, Subject, examine

NO_RUNTIME = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox "
    'runtime: no runtime for "crun" is configured'
)


def stuck(
    owner: dict[str, object], name: str = "web-5d9-x", on: str = "node1"
) -> dict[str, object]:
    return pod(name, owner=owner, node=on, ready=False, statuses=waiting("ContainerCreating"))


def test_a_handler_that_no_node_reports_is_not_configured_even_before_any_event() -> None:
    web = deployment()

    report = examine(snapshot(web, stuck(web), runtime_class(), node("node1", "runc", "")))

    assert causes(report) == ["handler-not-configured"]
    assert result(report, "runtime-handler-available").status.value == "FAIL"


def test_nodes_that_do_not_report_handlers_are_judged_by_the_events_of_their_pods() -> None:
    web = deployment()
    waits = stuck(web)

    report = examine(
        snapshot(
            web, waits, runtime_class(), node("node1"),
            event(waits, "FailedCreatePodSandBox", NO_RUNTIME),
        )
    )  # fmt: skip

    assert causes(report) == ["handler-not-configured"]


def test_where_another_node_runs_the_same_handler_the_node_is_at_fault() -> None:
    web = deployment(replicas=2)
    waits = stuck(web, "web-5d9-b", on="node2")

    report = examine(
        snapshot(
            web, pod("web-5d9-a", owner=web), waits, runtime_class(), node("node1"), node("node2"),
            event(waits, "FailedCreatePodSandBox", NO_RUNTIME),
        )
    )  # fmt: skip

    assert causes(report) == ["handler-missing-on-some-nodes"]
    assert str(diagnosis(report).subject) == "Node node2"
    assert "Deployment default/web" in diagnosis(report).explains


def test_silent_nodes_without_any_wasm_pod_are_unknown_not_fine() -> None:
    report = examine(snapshot(runtime_class(), node("node1")))

    assert result(report, "runtime-handler-available").status.value == "UNKNOWN"


@pytest.mark.parametrize("handler", ["crun", "crun-wasm", "wasmedge"])
def test_before_anything_is_deployed_a_reported_handler_passes(handler: str) -> None:
    report = examine(snapshot(runtime_class("x", handler), node("node1", "", "runc", handler)))

    assert result(report, "runtime-handler-available").status.value == "PASS"


def test_a_node_outside_the_classs_own_selector_does_not_matter() -> None:
    web = deployment()
    only_wasm = runtime_class(scheduling={"nodeSelector": {"wasm": "yes"}})

    report = examine(
        snapshot(
            web, pod(owner=web), only_wasm,
            node("node1", "crun", labels={"wasm": "yes"}), node("node2", "runc"),
        )
    )  # fmt: skip

    assert result(report, "runtime-handler-available").status.value == "PASS"


@pytest.mark.parametrize(
    ("reason", "status"), [("Error", "PASS"), ("ContainerStatusUnknown", "UNKNOWN")]
)
def test_a_container_that_ever_started_proves_the_handler(reason: str, status: str) -> None:
    web = deployment()
    ended = {"terminated": {"exitCode": 1, "reason": reason}}
    crashes = waiting("CrashLoopBackOff")
    crashes[0]["lastState"] = ended

    told = examine(
        snapshot(web, pod(owner=web, ready=False, statuses=crashes), runtime_class(), node())
    )
    assert result(told, "runtime-handler-available").status.value == status


def test_another_workload_s_pod_proves_the_handler_though_one_alone_is_asked_for() -> None:
    web, other = deployment(), deployment("other")
    seen = snapshot(web, other, pod("other-1", owner=other), runtime_class(), node())

    only = Options(Subject("Deployment", "default", "web"))
    assert result(examine(seen, only), "runtime-handler-available").status.value == "PASS"


def test_a_node_that_the_pods_themselves_avoid_does_not_matter() -> None:
    web = deployment(spec=pod_spec(nodeSelector={"pool": "wasm"}))
    ours = node("node1", "crun", labels={"pool": "wasm"})

    report = examine(snapshot(web, pod(owner=web), runtime_class(), ours, node("node2", "runc")))

    assert result(report, "runtime-handler-available").status.value == "PASS"


def test_a_tainted_node_matters_only_if_class_or_pods_tolerate_it() -> None:
    web = deployment()
    gpu = node("node2", "runc")
    gpu["spec"] = {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}
    tolerant = runtime_class(scheduling={"tolerations": [{"operator": "Exists"}]})

    def status(class_: dict[str, object]) -> str:
        seen = snapshot(web, pod(owner=web), class_, node("node1", "crun"), gpu)
        return result(examine(seen), "runtime-handler-available").status.value

    assert (status(runtime_class()), status(tolerant)) == ("PASS", "WARN")


def test_a_node_without_the_handler_where_no_pod_is_yet_is_a_warning() -> None:
    web = deployment()

    report = examine(
        snapshot(web, pod(owner=web), runtime_class(), node("node1", "crun"), node("node2", "runc"))
    )

    answer = result(report, "runtime-handler-available")
    assert answer.status.value == "WARN"
    assert answer.reason == "handler crun is missing on node2, where a pod may land"
    assert causes(report) == []


def test_a_class_that_k3s_makes_itself_proves_nothing_and_the_answer_says_so() -> None:
    k3s = node("node1")
    k3s["status"]["nodeInfo"] = {"kubeletVersion": "v1.30.4+k3s1"}
    web = deployment(spec=pod_spec(runtime_class="wasmedge"), annotations={})
    waits = pod(owner=web, ready=False, node="", statuses=[])

    report = examine(snapshot(web, waits, runtime_class("wasmedge", "wasmedge"), k3s))
    before = examine(snapshot(runtime_class("wasmedge", "wasmedge"), k3s))

    answer = result(report, "runtime-handler-available")
    assert answer.status.value == "UNKNOWN"
    assert "K3s makes this class on every cluster" in answer.reason
    assert "K3s makes these on every cluster" in result(before, "runtimeclass-exists").reason
