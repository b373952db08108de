"""Which exporters are asked, and on which port."""

from __future__ import annotations

from typing import Any

from builders import pod, snapshot
from gpu_builders import asking, claiming, daemon_set, gpu_node

from kubectl_wasmai.snapshot.exporters import MAX_EXPORTERS, exporters
from kubectl_wasmai.snapshot.logs import failing

DCGM = daemon_set("nvidia-dcgm-exporter")


def with_ports(owner: dict[str, Any], *ports: dict[str, Any]) -> dict[str, Any]:
    owner["spec"]["template"]["spec"]["containers"][0]["ports"] = list(ports)
    return owner


def test_without_an_exporter_nobody_is_asked() -> None:
    web = asking()

    assert exporters(snapshot(gpu_node(capacity=1), web, pod(owner=web))) == ()


def test_the_usual_port_is_asked_unless_the_pod_names_one() -> None:
    named = with_ports(
        daemon_set("dcgm-exporter"),
        {"containerPort": 8080}, {"name": "metrics", "containerPort": 9401},
    )  # fmt: skip
    amd = daemon_set("amd-gpu-metrics-exporter")

    found = exporters(
        snapshot(DCGM, named, amd, pod("a", owner=DCGM), pod("b", owner=named), pod("c", owner=amd))
    )

    assert [(each.pod, each.port) for each in found] == [("a", 9400), ("b", 9401), ("c", 5000)]


def test_pods_that_do_not_run_are_not_asked() -> None:
    waits = pod("a", owner=DCGM, ready=False)

    assert exporters(snapshot(DCGM, waits)) == ()


def test_nodes_with_gpus_in_use_come_first_and_the_number_is_bounded() -> None:
    pods = [pod(f"x{n:02}", owner=DCGM, node=f"node{n:02}") for n in range(40)]
    by_count, by_claim = asking(), claiming(claim="gpu")
    by_claim["metadata"]["name"] = "other"
    users = [
        pod("u1", owner=by_count, node="node38"),
        pod("u2", owner=by_claim, node="node39"),
    ]

    found = exporters(snapshot(DCGM, by_count, by_claim, *pods, *users))

    assert len(found) == MAX_EXPORTERS
    assert [each.pod for each in found[:3]] == ["x38", "x39", "x00"]


def test_the_log_of_a_plugin_that_seems_well_is_read_where_its_node_lacks_gpus() -> None:
    plugin = daemon_set()
    idle, busy = pod("p1", owner=plugin), pod("p2", owner=plugin, node="node2")

    found = failing(snapshot(gpu_node(), gpu_node("node2", capacity=2), plugin, busy, idle))

    assert [(key.pod, key.container) for keys in found.values() for key in keys] == [("p1", "main")]
    assert failing(snapshot(gpu_node("node2", capacity=2), plugin, busy)) == {}
