from __future__ import annotations

import pytest
from builders import (
    NOW,
    container,
    deployment,
    pod,
    pod_spec,
    replica_set,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes, diagnosis, result

from kubectl_wasmai.doctor import examine

NEVER = 'Container image "example.test/model:1" is not present with pull policy of Never'


def test_a_pod_that_has_just_been_created_is_starting_not_broken() -> None:
    web = deployment()
    young = pod(owner=web, ready=False, created=NOW, statuses=waiting("ContainerCreating"))

    report = examine(snapshot(web, young, runtime_class()))

    assert result(report, "pod-running").status.value == "WARN"


def test_a_pod_that_has_been_creating_for_long_is_broken() -> None:
    web = deployment()
    old = pod(owner=web, ready=False, statuses=waiting("ContainerCreating"))

    report = examine(snapshot(web, old, runtime_class()))

    assert result(report, "pod-running").status.value == "FAIL"


def test_a_completed_pod_is_no_fault() -> None:
    web = deployment()
    done = pod(owner=web, ready=False, phase="Succeeded", statuses=[])

    report = examine(snapshot(web, done, runtime_class()))

    assert result(report, "pod-running").reason == "1 completed"


def test_a_rollout_whose_new_pods_are_refused_fails_though_the_old_one_still_serves() -> None:
    web = deployment(spec=pod_spec(runtime_class="gone"))
    old = pod(owner=deployment())

    report = examine(snapshot(web, replica_set(web, current=0), old, runtime_class()))

    assert result(report, "pod-running").status.value == "FAIL"
    assert causes(report) == ["runtimeclass-missing"]


def test_a_workload_scaled_to_zero_is_skipped() -> None:
    report = examine(snapshot(deployment(replicas=0), runtime_class()))

    assert result(report, "pod-running").status.value == "SKIP"


def test_an_image_that_may_not_be_pulled_and_is_not_there_is_one_cause_for_all_pods() -> None:
    web = deployment(replicas=3)
    statuses = waiting("ErrImageNeverPull", NEVER)
    pods = [pod(f"web-5d9-{n}", owner=web, ready=False, statuses=statuses) for n in range(3)]

    report = examine(snapshot(web, *pods, runtime_class()))

    assert causes(report) == ["image-not-present"]
    assert {f"Pod default/web-5d9-{n}" for n in range(3)} <= set(diagnosis(report).explains)


def test_missing_limits_are_named_by_container_and_never_a_diagnosis() -> None:
    web = deployment(spec=pod_spec(container("server", limits=False)))

    report = examine(snapshot(web, pod(owner=web), runtime_class()))

    answer = result(report, "resource-limits-set")
    assert answer.status.value == "WARN"
    assert answer.reason == "server has no cpu request, no memory request, no memory limit"
    assert causes(report) == []


def test_readiness_without_a_probe_does_not_prove_that_the_model_is_loaded() -> None:
    web = deployment(spec=pod_spec(container(readinessProbe=None)))

    report = examine(snapshot(web, pod(owner=web), runtime_class()))

    assert result(report, "model-loaded").status.value == "UNKNOWN"


@pytest.mark.parametrize("check", ["pod-running", "model-loaded", "resource-limits-set"])
def test_pods_of_other_teams_are_not_looked_at(check: str) -> None:
    spec = pod_spec(runtime_class=None)
    other = deployment("shop", spec=spec, annotations={})
    failing = pod("shop-5d9-x", owner=other, ready=False, statuses=waiting("CrashLoopBackOff"))

    report = examine(snapshot(other, failing, runtime_class()))

    assert result(report, check).status.value == "SKIP"
