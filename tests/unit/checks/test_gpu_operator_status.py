"""What GPU operators say of themselves, and when that is a fault."""

from __future__ import annotations

from typing import Any

import pytest
from builders import deployment, pod, runtime_class, snapshot
from examining import causes, diagnosis, result
from gpu_builders import asking, crashing, daemon_set, gpu_node, operator_resource, pending, short

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.snapshot.model import Denied

WEB = asking()
WAITS = pending(WEB, short())
CHECK = "gpu-operator-ready"
LONG_AGO, NOW = "2026-01-01T10:00:00Z", "2026-01-01T11:55:00Z"


def failed(reason: str, message: str = "", since: str = LONG_AGO) -> dict[str, Any]:
    told = {"reason": reason, "message": message, "lastTransitionTime": since}
    return {"state": "notReady", "conditions": [{"type": "Error", "status": "True", **told}]}


def answer(*objects: dict[str, Any], **more: Any) -> Any:
    return result(examine(snapshot(gpu_node(), *objects, **more)), CHECK)


def test_without_an_operator_nothing_is_missing() -> None:
    assert answer(WEB, WAITS).status.value == "SKIP"


def test_an_operator_that_may_not_be_read_is_unknown_where_a_gpu_is_wanted() -> None:
    denied = (Denied("list", "clusterpolicies.nvidia.com"),)
    without = ("ClusterPolicy", "NVIDIADriver", "GPUCluster", "DeviceConfig")

    found = answer(WEB, WAITS, denied=denied, without=without)

    assert found.status.value == "UNKNOWN"
    assert found.needs.startswith("list clusterpolicies.nvidia.com; the rule that grants it: - {")
    assert answer(denied=denied, without=without).status.value == "SKIP"


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (operator_resource(reason="Reconciled", state="ready"), "PASS"),
        (operator_resource(reason="NoGPUNodes", state="ready"), "FAIL"),
        (operator_resource(reason="NFDLabelsMissing", state="ready"), "FAIL"),
        (operator_resource(state="ignored"), "WARN"),
        (operator_resource(**failed("OperandNotReady", "state-driver")), "FAIL"),
        (operator_resource(**failed("OperandNotReady", since=NOW)), "WARN"),
        (operator_resource(**failed("ReconcileFailed", since=NOW)), "FAIL"),
        (operator_resource("NVIDIADriver", "a", **failed("ConflictingNodeSelector")), "FAIL"),
        (operator_resource("GPUCluster", "gpu-cluster", state="notReady"), "FAIL"),
        (operator_resource("DeviceConfig", "amd", reason="OperatorReady"), "PASS"),
        (
            operator_resource(
                "DeviceConfig", "amd", reason="OperatorReady",
                nodeModuleStatus={"node1": {"status": "Upgrade-Failed"}},
            ),
            "FAIL",
        ),
        (
            operator_resource(
                "DeviceConfig", "amd", devicePlugin={"desiredNumber": 2, "availableNumber": 1}
            ),
            "FAIL",
        ),
    ],
)  # fmt: skip
def test_what_operators_say(made: dict[str, Any], status: str) -> None:
    found = answer(WEB, WAITS, made)

    assert found.status.value == status
    assert found.subject is not None
    assert found.subject.kind == made["kind"]


@pytest.mark.parametrize("reason", ["NoGPUNodes", "NFDLabelsMissing"])
def test_ready_without_a_gpu_node_is_the_root_of_what_pods_lack(reason: str) -> None:
    policy = operator_resource(reason=reason, state="ready")

    report = examine(snapshot(gpu_node(), WEB, WAITS, policy))

    assert causes(report) == ["gpu-operator-not-ready"]
    assert str(diagnosis(report).subject) == "ClusterPolicy cluster-policy"
    assert "Deployment default/web" in diagnosis(report).explains
    assert any("-n gpu-operator" in line for line in diagnosis(report).remedy.commands)


def test_where_nobody_wants_a_gpu_an_operator_without_gpu_nodes_is_as_it_should_be() -> None:
    policy = operator_resource(reason="NoGPUNodes", state="ready")
    web = deployment()

    report = examine(snapshot(gpu_node(), web, pod(owner=web), runtime_class(), policy))

    assert causes(report) == []
    assert result(report, CHECK).status.value == "SKIP"


def test_a_part_that_crashes_says_more_than_the_operator() -> None:
    plugin = daemon_set()
    policy = operator_resource(**failed("OperandNotReady"))

    report = examine(snapshot(gpu_node(), WEB, WAITS, plugin, crashing(plugin), policy))

    assert causes(report) == ["device-plugin-crashing"]


def test_an_operator_on_its_way_leaves_the_request_unmet() -> None:
    policy = operator_resource(**failed("OperandNotReady", since=NOW))

    report = examine(snapshot(gpu_node(), WEB, WAITS, policy))

    assert causes(report) == ["gpu-resource-absent"]
    assert [d.cause for d in report.diagnoses if d.certainty.value == "possible"] == [
        "gpu-operator-not-ready"
    ]
