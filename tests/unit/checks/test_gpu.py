"""GPUs as the API shows them: offered, taken, lost, and handed over."""

from __future__ import annotations

from typing import Any

import pytest
from builders import container, deployment, node, pod, pod_spec, runtime_class, snapshot
from examining import causes, diagnosis

from kubectl_wasmai.doctor import examine

GPU = "nvidia.com/gpu"


def wanting(count: int = 1, name: str = GPU) -> dict[str, Any]:
    amounts = {"cpu": "1", "memory": "64Mi", name: str(count)}
    server = container(resources={"requests": amounts, "limits": amounts})
    return deployment(spec=pod_spec(server, runtime_class=None), annotations={})


def pending(owner: dict[str, Any], name: str = GPU) -> dict[str, Any]:
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": f"0/1 nodes are available: 1 Insufficient {name}. preemption: 0/1 nodes",
    }
    return pod(owner=owner, ready=False, node="", statuses=[], conditions=[scheduled])


def offering(capacity: int, allocatable: int, name: str = GPU) -> dict[str, Any]:
    made = node()
    made["status"]["capacity"] = {"cpu": "8", "memory": "32Gi", name: str(capacity)}
    made["status"]["allocatable"] = {"cpu": "8", "memory": "32Gi", name: str(allocatable)}
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


@pytest.mark.parametrize(
    ("made", "count", "cause"),
    [
        (node(), 1, "gpu-resource-absent"),
        (offering(1, 1), 2, "gpu-request-too-large"),
        (offering(7, 7, "nvidia.com/mig-1g.5gb"), 1, "gpu-resource-name-mismatch"),
    ],
    ids=["no node", "one node, too few", "another name"],
)
def test_a_pending_pod_is_told_from_what_the_nodes_offer(
    made: dict[str, Any], count: int, cause: str
) -> None:
    web = wanting(count)

    assert causes(examine(snapshot(web, pending(web), made))) == [cause]


def test_a_gpu_withdrawn_as_unhealthy_is_a_fault_of_the_node() -> None:
    web = wanting(4)

    report = examine(snapshot(web, pending(web), offering(4, 3)))

    assert causes(report) == ["gpu-device-unhealthy"]
    assert diagnosis(report).subject.kind == "Node"


def test_gpus_that_are_all_gone_are_lost_not_absent() -> None:
    web = wanting()

    report = examine(snapshot(web, pending(web), offering(4, 0)))

    assert causes(report) == ["gpu-lost"]


def test_where_nobody_wants_a_gpu_nothing_is_said_of_gpus() -> None:
    web = deployment()

    report = examine(snapshot(web, pod(owner=web), runtime_class(), node("node1", "crun")))

    assert causes(report) == []
    assert {e.status.value for e in report.checks if e.id.startswith("gpu-")} <= {"SKIP", "MANUAL"}
