from __future__ import annotations

from builders import deployment, event, node, pod, pod_spec, replica_set, runtime_class, snapshot
from examining import causes, diagnosis, result

from kubectl_wasmai.doctor import examine

REFUSAL = (
    'Error creating: pods "web-5d9-" is forbidden: pod rejected: RuntimeClass "wasn" not found'
)


def test_a_class_that_does_not_exist_is_the_one_cause_however_many_pods_are_refused() -> None:
    web = deployment(replicas=40, spec=pod_spec(runtime_class="wasn"), current=0)
    refused = replica_set(web, current=0)

    report = examine(
        snapshot(web, refused, event(refused, "FailedCreate", REFUSAL), runtime_class("wasm"))
    )

    assert causes(report) == ["runtimeclass-missing"]
    assert {each.source for each in diagnosis(report).evidence} == {"spec", "event"}
    assert result(report, "pod-running").reason == "40 of 40 pods could not be created"


def test_two_workloads_that_name_the_same_missing_class_share_one_diagnosis() -> None:
    spec = pod_spec(runtime_class="wasn")

    report = examine(snapshot(deployment("a", spec=spec), deployment("b", spec=spec)))

    assert causes(report) == ["runtimeclass-missing"]
    assert "Deployment default/b" in diagnosis(report).explains


def test_two_missing_classes_are_two_causes() -> None:
    one, other = (deployment(n, spec=pod_spec(runtime_class=n)) for n in ("wasn", "wesm"))

    assert causes(examine(snapshot(one, other))) == ["runtimeclass-missing"] * 2


def test_an_event_of_before_the_class_was_created_is_history() -> None:
    web = deployment(spec=pod_spec(runtime_class="wasn"), current=0)
    refused = replica_set(web, current=0)

    report = examine(
        snapshot(web, refused, event(refused, "FailedCreate", REFUSAL), runtime_class("wasn"))
    )

    assert causes(report) == []


def test_without_the_right_to_read_classes_the_event_still_names_the_cause() -> None:
    web = deployment(spec=pod_spec(runtime_class="wasn"), current=0)
    refused = replica_set(web, current=0)

    report = examine(
        snapshot(web, refused, event(refused, "FailedCreate", REFUSAL), without=("RuntimeClass",))
    )

    assert causes(report) == ["runtimeclass-missing"]
    assert result(report, "runtimeclass-exists").status.value == "UNKNOWN"


def test_the_remedy_proposes_the_class_whose_name_is_nearest() -> None:
    web = deployment(spec=pod_spec(runtime_class="wasn"))

    report = examine(snapshot(web, runtime_class("wasm"), runtime_class("nvidia", "nvidia")))

    assert '"runtimeClassName": "wasm"' in diagnosis(report).remedy.commands[0]
    assert "nvidia" not in diagnosis(report).remedy.summary


def test_a_healthy_workload_has_no_diagnosis_and_passes_every_check() -> None:
    web = deployment()

    metrics = {"kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"}}
    crun = node("node1", "runc", "crun")

    report = examine(snapshot(web, pod(owner=web), runtime_class(), crun, metrics))

    assert causes(report) == []
    assert report.summary.verdict == "healthy"
    assert report.exit_code == 0


def test_an_empty_cluster_is_not_called_healthy() -> None:
    report = examine(snapshot())

    assert report.summary.verdict == "inconclusive"
    assert report.exit_code == 1
