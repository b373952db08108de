"""Causes outside the Wasm layer: policy, scheduling, nodes, storage, probes, Services."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    container,
    deployment,
    event,
    meta,
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

REFUSED = {
    "pod-security-violation": 'is forbidden: violates PodSecurity "restricted:latest": '
    "allowPrivilegeEscalation != false",
    "quota-exceeded": "is forbidden: exceeded quota: small, requested: pods=1, used: pods=1",
    "serviceaccount-missing": "is forbidden: error looking up service account default/reader: "
    'serviceaccount "reader" not found',
}

CONFIGURED = {
    "config-reference-missing": 'configmap "model-config" not found',
    "run-as-non-root-conflict": "container has runAsNonRoot and image will run as root",
}

SENTENCES = {
    "insufficient-cpu-or-memory": "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1",
    "untolerated-taint": "0/2 nodes are available: 2 node(s) had untolerated taint {gpu: yes}. x",
    "node-selector-unmatched": "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: "
    "yes}, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are",
}


@pytest.mark.parametrize(("cause", "text"), REFUSED.items(), ids=REFUSED)
def test_what_admission_refuses_is_named_by_its_reason(cause: str, text: str) -> None:
    web = deployment(current=0)
    refused = replica_set(web, current=0)
    said = event(refused, "FailedCreate", f'Error creating: pods "web-5d9-x" {text}')

    assert causes(examine(snapshot(web, refused, said, runtime_class()))) == [cause]


@pytest.mark.parametrize(("cause", "text"), CONFIGURED.items(), ids=CONFIGURED)
def test_a_container_that_cannot_be_configured_says_what_it_lacks(cause: str, text: str) -> None:
    web = deployment()
    stuck = pod(owner=web, ready=False, statuses=waiting("CreateContainerConfigError", text))

    assert causes(examine(snapshot(web, stuck, runtime_class()))) == [cause]


def pending(owner: dict[str, Any], sentence: str) -> dict[str, Any]:
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": sentence,
    }
    return pod(owner=owner, ready=False, node="", statuses=[], conditions=[scheduled])


@pytest.mark.parametrize(("cause", "text"), SENTENCES.items(), ids=SENTENCES)
def test_of_the_schedulers_reasons_the_one_that_keeps_most_nodes_away_counts(
    cause: str, text: str
) -> None:
    web = deployment()

    assert causes(examine(snapshot(web, pending(web, text), runtime_class(), node()))) == [cause]


def test_gpus_are_not_mistaken_for_cpu_or_memory() -> None:
    web = deployment()
    sentence = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes"

    assert causes(examine(snapshot(web, pending(web, sentence), runtime_class(), node()))) == []


def conditioned(name: str, **condition: str) -> dict[str, Any]:
    made = node(name)
    made["status"]["conditions"] = [condition]
    return made


BY_NODE = "node.kubernetes.io"
NODES = {
    "container-runtime-down": ("Ready", "False", "KubeletNotReady", "container runtime is down"),
    "network-plugin-not-ready": ("Ready", "False", "KubeletNotReady", "cni plugin not initialized"),
    "node-not-ready": ("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting status."),
    "node-pressure": ("MemoryPressure", "True", "KubeletHasInsufficientMemory", "low"),
}


@pytest.mark.parametrize(("cause", "condition"), NODES.items(), ids=NODES)
def test_a_node_in_trouble_is_the_subject_and_explains_the_pods_that_wait(
    cause: str, condition: tuple[str, str, str, str]
) -> None:
    web = deployment()
    taint = "memory-pressure" if condition[0] == "MemoryPressure" else "not-ready"
    sentence = f"0/1 nodes are available: 1 node(s) had untolerated taint {{{BY_NODE}/{taint}: }}."
    keys = ("type", "status", "reason", "message")
    broken = conditioned("node1", **dict(zip(keys, condition, strict=True)))

    report = examine(snapshot(web, pending(web, sentence), runtime_class(), broken))

    assert causes(report) == [cause]
    assert str(diagnosis(report).subject) == "Node node1"


@pytest.mark.parametrize(
    ("pool", "cause", "certainty"),
    [
        ({}, "node-not-ready", "likely"),
        ({"pool": "other"}, "node-not-ready", "possible"),
        ({}, "node-pressure", "possible"),
    ],
    ids=["open to it", "of another pool", "short of memory"],
)
def test_a_node_in_trouble_that_the_workload_could_be_on_is_lost_to_it(
    pool: dict[str, str], cause: str, certainty: str
) -> None:
    web = deployment(spec=pod_spec(nodeSelector={"pool": "wasm"}))
    keys = ("type", "status", "reason", "message")
    dead = conditioned("node2", **dict(zip(keys, NODES[cause], strict=True)))
    dead["metadata"]["labels"] = {"pool": "wasm", **pool}

    report = examine(snapshot(web, pod(owner=web), runtime_class(), node("node1"), dead))

    assert [(each.cause, each.certainty.value) for each in report.diagnoses] == [(cause, certainty)]
    assert report.exit_code == (3 if certainty == "likely" else 0)


def test_a_cordoned_node_is_a_fault_only_where_pods_wait_for_it() -> None:
    web = deployment()
    closed = {**node("node1"), "spec": {"unschedulable": True}}
    sentence = "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1"

    waits = examine(snapshot(web, pending(web, sentence), runtime_class(), closed))
    assert causes(waits) == ["node-cordoned"]
    assert causes(examine(snapshot(web, pod(owner=web), runtime_class(), closed))) == []


def claim(storage_class: str | None) -> dict[str, Any]:
    spec = {} if storage_class is None else {"storageClassName": storage_class}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": meta("models"),
        "spec": spec,
        "status": {"phase": "Pending"},
    }


@pytest.mark.parametrize(
    ("storage_class", "cause"),
    [
        ("fast", "storageclass-missing"),
        (None, "storageclass-no-default"),
        ("slow", "volume-not-bound"),
    ],
)
def test_a_pending_claim_says_which_of_its_three_reasons_it_has(
    storage_class: str | None, cause: str
) -> None:
    volume = {"name": "m", "persistentVolumeClaim": {"claimName": "models"}}
    web = deployment(spec=pod_spec(volumes=[volume]))
    sentence = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    slow = {"kind": "StorageClass", "metadata": {"name": "slow"}, "provisioner": "x"}

    report = examine(
        snapshot(web, pending(web, sentence), runtime_class(), node(), claim(storage_class), slow)
    )

    assert causes(report) == [cause]
    assert diagnosis(report).subject.kind == "PersistentVolumeClaim"


def test_a_claim_nobody_of_interest_uses_is_not_looked_at() -> None:
    assert causes(examine(snapshot(deployment(), runtime_class(), claim("fast")))) == []


def unready(owner: dict[str, Any]) -> dict[str, Any]:
    running = {"running": {"startedAt": "2026-01-01T11:00:00Z"}}
    return pod(owner=owner, ready=False, statuses=[{"name": "main", "state": running}])


REFUSES = 'Readiness probe failed: Get "http://10.0.0.1:8080/": connect: connection refused'


def test_a_server_that_listens_elsewhere_is_a_port_mismatch() -> None:
    web = deployment()
    waits = unready(web)
    log = {("web-5d9-x", "main"): "listening on 0.0.0.0:9090\n"}

    report = examine(
        snapshot(web, waits, event(waits, "Unhealthy", REFUSES), runtime_class(), logs=log)
    )

    assert causes(report) == ["port-mismatch"]
    assert "9090" in diagnosis(report).remedy.summary


def test_a_probe_that_gets_404_asks_a_path_that_does_not_exist() -> None:
    web = deployment()
    waits = unready(web)
    text = "Readiness probe failed: HTTP probe failed with statuscode: 404"

    assert causes(
        examine(snapshot(web, waits, event(waits, "Unhealthy", text), runtime_class()))
    ) == ["probe-path-missing"]


def test_a_container_killed_before_it_was_ever_ready_had_too_little_time() -> None:
    web = deployment(spec=pod_spec(container(env=[{"name": "PORT", "value": "8080"}])))
    waits = unready(web)
    killed = event(waits, "Killing", "Container main failed startup probe, will be restarted")

    report = examine(
        snapshot(web, waits, event(waits, "Unhealthy", REFUSES), killed, runtime_class())
    )

    assert causes(report) == ["startup-probe-too-short"]


def test_out_of_memory_is_read_from_the_last_state_too() -> None:
    web = deployment()
    end = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {**waiting("CrashLoopBackOff", restarts=4)[0], "lastState": end}
    crashed = pod(owner=web, ready=False, statuses=[status])

    assert causes(examine(snapshot(web, crashed, runtime_class()))) == ["memory-limit-too-low"]


def service(selector: dict[str, str], target: int | str = 8080) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": target}]
    return {
        "kind": "Service",
        "metadata": meta("web"),
        "spec": {"selector": selector, "ports": ports},
    }


def labelled() -> dict[str, Any]:
    ports = [{"containerPort": 8080, "name": "http"}]
    web = deployment(spec=pod_spec(container(ports=ports)))
    web["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
    return web


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (service({"app": "web"}), []),
        (service({"app": "web"}, "http"), []),
        (service({"app": "wbe"}), ["service-selector-mismatch"]),
        (service({"app": "web"}, "grpc"), ["service-port-mismatch"]),
        (service({"app": "web"}, 9090), ["service-port-mismatch"]),
    ],
    ids=["right", "right by name", "other selector", "other name", "other number"],
)
def test_a_service_must_select_the_pods_and_name_their_ports(
    made: dict[str, Any], found: list[str]
) -> None:
    web = labelled()

    assert causes(examine(snapshot(web, pod(owner=web), runtime_class(), made))) == found


def test_an_autoscaler_without_metrics_api_is_itself_the_subject() -> None:
    web = deployment()
    message = (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable "
        "to fetch metrics from resource metrics API: the server could not find the requested "
        "resource (get pods.metrics.k8s.io)"
    )
    condition = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
    autoscaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta("web"),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        "status": {"conditions": [{**condition, "message": message}]},
    }

    report = examine(snapshot(web, pod(owner=web), runtime_class(), autoscaler))

    assert causes(report) == ["metrics-api-missing"]
    assert diagnosis(report).subject.kind == "HorizontalPodAutoscaler"
