"""Pod Security, quotas and LimitRanges: told before they refuse anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    container,
    deployment,
    event,
    meta,
    pod,
    pod_spec,
    replica_set,
    runtime_class,
    snapshot,
)
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry


def answer(check: str, *objects: dict[str, Any], **more: Any) -> CheckEntry:
    return result(examine(snapshot(*objects, runtime_class(), **more)), check)


def namespace(level: str | None) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    metadata = {"name": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def security(spec: dict[str, Any], level: str | None) -> CheckEntry:
    return answer("pod-security-allows", deployment(spec=spec), namespace(level))


@pytest.mark.parametrize("level", [None, "privileged"])
def test_a_namespace_that_allows_all_is_skipped(level: str | None) -> None:
    assert security(pod_spec(), level).status.value == "SKIP"


def test_a_template_that_satisfies_restricted_passes() -> None:
    assert security(pod_spec(container(securityContext=SAFE)), "restricted").status.value == "PASS"


def test_what_the_pod_says_counts_for_its_containers() -> None:
    own = {key: SAFE[key] for key in ("allowPrivilegeEscalation", "capabilities")}
    whole = {key: SAFE[key] for key in ("runAsNonRoot", "seccompProfile")}

    spec = pod_spec(container(securityContext=own), securityContext=whole)
    assert security(spec, "restricted").status.value == "PASS"


@pytest.mark.parametrize("missing", SAFE)
def test_each_thing_that_restricted_wants_is_missed(missing: str) -> None:
    context = {key: value for key, value in SAFE.items() if key != missing}

    told = security(pod_spec(container(securityContext=context)), "restricted")
    assert told.status.value == "WARN"
    assert missing.partition(".")[0] in told.reason


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (pod_spec(volumes=[{"name": "plugins", "hostPath": {"path": "/opt"}}]), "hostPath"),
        (pod_spec(hostNetwork=True), "hostNetwork"),
        (pod_spec(hostPID=True), "hostPID"),
        (pod_spec(container(securityContext={"privileged": True})), "privileged"),
        (pod_spec(container(ports=[{"containerPort": 80, "hostPort": 80}])), "hostPort"),
    ],
)
def test_what_baseline_refuses_is_told_before_it_is_refused(
    spec: dict[str, Any], says: str
) -> None:
    told = security(spec, "baseline")

    assert told.status.value == "WARN"
    assert says in told.reason


def test_a_refusal_is_a_failure_though_namespaces_may_not_be_read() -> None:
    web = deployment(current=0)
    owner = replica_set(web, current=0)
    text = 'Error creating: pods "web" is forbidden: violates PodSecurity "restricted:latest": x'

    told = answer(
        "pod-security-allows", web, owner, event(owner, "FailedCreate", text),
        without=("Namespace",),
    )  # fmt: skip
    assert told.status.value == "FAIL"
    unseen = answer("pod-security-allows", deployment(), without=("Namespace",))
    assert (unseen.status.value, "namespaces" in unseen.needs) == ("UNKNOWN", True)


def quota(hard: dict[str, str], used: dict[str, str]) -> dict[str, Any]:
    status = {"hard": hard, "used": used}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta("q"), "status": status}


@pytest.mark.parametrize(
    ("hard", "used", "status"),
    [
        ({"limits.memory": "1Gi"}, {"limits.memory": "100Mi"}, "PASS"),
        ({"limits.memory": "1Gi"}, {"limits.memory": "950Mi"}, "WARN"),
        ({"limits.memory": "160Mi"}, {"limits.memory": "128Mi"}, "WARN"),
        ({"requests.cpu": "1500m"}, {"requests.cpu": "1"}, "WARN"),
        ({"pods": "10"}, {"pods": "8"}, "PASS"),
        ({"pods": "1"}, {"pods": "1"}, "WARN"),
        ({"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": "1"}, "PASS"),
        ({"requests.nvidia.com/gpu": "0"}, {"requests.nvidia.com/gpu": "0"}, "PASS"),
    ],
)
def test_a_quota_is_to_have_room_for_one_more_pod(
    hard: dict[str, str], used: dict[str, str], status: str
) -> None:
    assert answer("quota-headroom", deployment(), quota(hard, used)).status.value == status


def limit_range(**limit: Any) -> dict[str, Any]:
    limits = {"limits": [{"type": "Container", **limit}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta("l"), "spec": limits}


@pytest.mark.parametrize("defaults", [{}, {"default": {"memory": "64Mi"}}])
def test_a_quota_wants_stated_what_no_limit_range_fills_in(defaults: dict[str, Any]) -> None:
    web = deployment(spec=pod_spec(container(limits=False)))
    tight = quota({"limits.memory": "1Gi"}, {"limits.memory": "0"})

    told = answer("quota-headroom", web, tight, limit_range(**defaults))
    assert told.status.value == ("PASS" if defaults else "WARN")
    assert defaults or "main has none" in told.reason


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"max": {"memory": "32Mi"}}, "memory limit 64Mi is above 32Mi"),
        ({"min": {"cpu": "2"}}, "cpu request 1 is below 2"),
        ({"type": "Pod", "max": {"memory": "32Mi"}}, "the pod: memory limit"),
        ({"maxLimitRequestRatio": {"memory": "0.5"}}, "more than 0.5 times"),
        ({"max": {"ephemeral-storage": "1Gi"}}, "ephemeral-storage has no limit"),
        ({"min": {"ephemeral-storage": "1Gi"}}, "ephemeral-storage has no request"),
    ],
)
def test_a_size_that_a_limit_range_forbids_is_told(limit: dict[str, Any], says: str) -> None:
    told = answer("limit-range-allows", deployment(), limit_range(**limit))

    assert told.status.value == "WARN"
    assert says in told.reason


def test_sizes_within_a_limit_range_pass_and_none_is_skipped() -> None:
    web = deployment()

    fitting = limit_range(max={"memory": "1Gi"}, min={"memory": "1Mi"})
    assert answer("limit-range-allows", web, fitting).status.value == "PASS"
    assert answer("limit-range-allows", web).status.value == "SKIP"


def test_what_a_limit_range_fills_in_counts_as_set() -> None:
    web = deployment(spec=pod_spec(container(limits=False)))
    amounts = {"cpu": "100m", "memory": "64Mi"}

    assert answer("resource-limits-set", web).status.value == "WARN"
    filled = answer("resource-limits-set", web, limit_range(default=amounts))
    assert filled.status.value == "PASS"


def test_a_ready_pod_is_told_as_let_in() -> None:
    web = deployment(spec=pod_spec(container(securityContext=SAFE)))

    told = answer("pod-security-allows", web, pod(owner=web), namespace("restricted"))
    assert told.reason == "level restricted let 1 pod in"
