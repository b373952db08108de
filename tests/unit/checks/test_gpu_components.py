from __future__ import annotations

from typing import Any

import pytest
from builders import deployment, event, pod, runtime_class, snapshot, waiting
from examining import causes, diagnosis, result
from gpu_builders import GPU, PLUGIN, asking, crashing, daemon_set, gpu_node, pending, short

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.gpu import role
from kubectl_wasmai.snapshot import workload_views

WASM = runtime_class()
WEB = asking()
WAITS = pending(WEB, short())
ON_PLUGIN = f"DaemonSet default/{PLUGIN}"
NO_LIBRARY = "Failed to initialize NVML: ERROR_LIBRARY_NOT_FOUND"
NO_DEVICES = "2026-01-01T11:59:00Z No devices found. Waiting indefinitely."


def examined(*objects: dict[str, Any], **more: Any) -> Any:
    return examine(snapshot(*objects, WASM, **more))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        (PLUGIN, "x:1"),
        ("nvdp-nvidia-device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.17.0"),
        ("nvidia-gpu-device-plugin", "x:1"),
        ("gpus", "registry.example/nvidia/k8s-device-plugin:v0.17.0"),
        ("amdgpu-device-plugin-daemonset", "rocm/k8s-device-plugin"),
        ("intel-gpu-plugin", "intel/intel-gpu-plugin:0.31"),
    ],
)
def test_device_plugins_are_recognised_however_they_were_installed(name: str, image: str) -> None:
    views = workload_views(snapshot(daemon_set(name, image=image)))

    assert [role(view) for view in views] == ["device plugin"]


@pytest.mark.parametrize("name", ["kube-sriov-device-plugin", "rdma-shared-dp-ds", "fluent-bit"])
def test_other_daemon_sets_are_no_gpu_plugins(name: str) -> None:
    assert [role(view) for view in workload_views(snapshot(daemon_set(name)))] == [""]


def test_a_crashing_plugin_is_the_root_of_what_pods_miss() -> None:
    plugin = daemon_set()

    report = examined(WEB, WAITS, gpu_node(), plugin, crashing(plugin))

    assert causes(report) == ["device-plugin-crashing"]
    assert str(diagnosis(report).subject) == ON_PLUGIN
    assert "Deployment default/web" in diagnosis(report).explains


def test_a_crashing_plugin_is_a_fault_even_if_nobody_wants_a_gpu_yet() -> None:
    plugin = daemon_set()

    report = examined(gpu_node(), plugin, crashing(plugin))

    assert causes(report) == ["device-plugin-crashing"]
    assert report.exit_code == 3


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (NO_LIBRARY, "device-plugin-no-driver-library"),
        (f"{NO_LIBRARY}\n{NO_DEVICES}", "device-plugin-no-driver-library"),
        (NO_DEVICES, "device-plugin-no-devices"),
        ("Failed to initialize NVML: Driver/library version mismatch", "gpu-driver-mismatch"),
    ],
)
def test_the_last_words_of_a_crashing_plugin_say_why(log: str, cause: str) -> None:
    plugin = daemon_set()
    crashed = crashing(plugin)

    report = examined(
        WEB, WAITS, gpu_node(), plugin, crashed, logs={(crashed["metadata"]["name"], "main"): log}
    )

    assert causes(report) == [cause]
    assert str(diagnosis(report).subject) == ON_PLUGIN


def test_a_plugin_that_is_ready_and_says_that_it_found_nothing_is_at_fault() -> None:
    plugin = daemon_set()
    idle = pod("plugin-x", owner=plugin)

    for logs in ({("plugin-x", "main"): NO_DEVICES}, {}):
        report = examined(WEB, WAITS, gpu_node(), plugin, idle, logs=logs)
        assert causes(report) == ["device-plugin-no-devices"]


def test_a_silent_plugin_on_a_cluster_without_gpus_is_no_fault() -> None:
    plugin = daemon_set()

    assert causes(examined(gpu_node(), plugin, pod("plugin-x", owner=plugin))) == []


def test_a_plugin_that_waits_on_a_node_without_a_gpu_is_no_fault_whatever_it_says() -> None:
    plugin = daemon_set()
    log = {("plugin-x", "main"): f"{NO_LIBRARY}\n{NO_DEVICES}\n"}
    idle = pod("plugin-x", owner=plugin)

    assert causes(examined(gpu_node(), plugin, idle, logs=log)) == []
    labelled = gpu_node(labels={"nvidia.com/gpu.present": "true"})
    assert causes(examined(labelled, plugin, idle, logs=log)) == ["device-plugin-no-driver-library"]


def test_a_plugin_that_idles_on_nodes_without_a_gpu_is_no_fault_where_others_serve() -> None:
    plugin = daemon_set(desired=2)
    crashed = crashing(plugin, node="node2")
    nodes = (gpu_node(capacity=2), gpu_node("node2"))

    report = examined(*nodes, plugin, pod("plugin-x", owner=plugin), crashed)

    assert causes(report) == []


def test_a_plugin_that_selects_no_node_is_named_with_the_label_that_is_missing() -> None:
    plugin = daemon_set(desired=0, nodeSelector={"nvidia.com/gpu.present": "true"})

    report = examined(WEB, WAITS, gpu_node(), plugin)

    assert causes(report) == ["device-plugin-not-scheduled"]
    assert any("nvidia.com/gpu.present=true" in line for line in diagnosis(report).remedy.commands)


def test_a_taint_keeps_the_plugin_away_too() -> None:
    plugin = daemon_set(desired=0)
    taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}
    node = gpu_node(taints=[taint], labels={"nvidia.com/gpu.present": "true"})

    report = examined(node, plugin)

    assert causes(report) == ["device-plugin-not-scheduled"]
    assert "team:NoSchedule" in diagnosis(report).remedy.summary


@pytest.mark.parametrize("offered", [None, 2])
def test_a_plugin_that_selects_nothing_is_no_fault_where_nothing_is_missed(
    offered: int | None,
) -> None:
    plugin = daemon_set(desired=0)

    assert causes(examined(gpu_node(capacity=offered), plugin)) == []


def test_of_several_daemon_sets_one_may_select_nothing() -> None:
    idle, serving = daemon_set("nvidia-gpu-device-plugin-large", desired=0), daemon_set()

    report = examined(
        gpu_node(capacity=1, labels={"nvidia.com/gpu.present": "true"}), idle, serving,
        pod("plugin-x", owner=serving),
    )  # fmt: skip

    assert causes(report) == []


def test_an_image_that_cannot_be_pulled_is_not_called_a_crash() -> None:
    plugin = daemon_set()
    waits = pod("plugin-x", owner=plugin, ready=False, statuses=waiting("ImagePullBackOff"))
    failed = event(waits, "Failed", 'Failed to pull image "example.test/plugin:1": not found')

    report = examined(WEB, WAITS, gpu_node(), plugin, waits, failed)

    assert causes(report) == ["image-pull-failed"]
    assert str(diagnosis(report).subject) == ON_PLUGIN


def stuck(owner: dict[str, Any], init: str) -> dict[str, Any]:
    state: dict[str, Any] = {"running": {}}
    status = [{"name": init, "ready": False, "started": True, "state": state}]
    waits = waiting("PodInitializing")
    name = owner["metadata"]["name"] + "-x"
    return pod(name, owner=owner, ready=False, statuses=waits, initContainerStatuses=status)


def test_components_that_wait_in_their_init_containers_are_one_fault_of_the_operator() -> None:
    validator, plugin = daemon_set("nvidia-operator-validator"), daemon_set()

    report = examined(
        WEB, WAITS, gpu_node(), validator, plugin,
        stuck(validator, "driver-validation"), stuck(plugin, "toolkit-validation"),
    )  # fmt: skip

    assert causes(report) == ["gpu-operator-not-ready"]
    assert str(diagnosis(report).subject) == "DaemonSet default/nvidia-operator-validator"
    assert "(driver)" in diagnosis(report).remedy.summary


def test_a_driver_that_cannot_be_loaded_explains_all_that_wait_for_it() -> None:
    driver, plugin = daemon_set("nvidia-driver-daemonset"), daemon_set()
    crashed = crashing(driver)
    log = "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"

    report = examined(
        WEB, WAITS, gpu_node(), driver, plugin, crashed, stuck(plugin, "driver-validation"),
        logs={(crashed["metadata"]["name"], "main"): log},
    )  # fmt: skip

    assert causes(report) == ["gpu-driver-not-loaded"]
    assert str(diagnosis(report).subject) == "DaemonSet default/nvidia-driver-daemonset"


def test_an_exporter_that_crashes_is_named_for_itself() -> None:
    exporter = daemon_set("nvidia-dcgm-exporter")

    report = examined(gpu_node(capacity=1), exporter, crashing(exporter, code=137))

    assert causes(report) == ["dcgm-exporter-down"]


def test_a_failed_driver_upgrade_is_the_operators_fault() -> None:
    driver = daemon_set("nvidia-driver-daemonset")
    labels = {"nvidia.com/gpu-driver-upgrade-state": "upgrade-failed"}

    report = examined(gpu_node(capacity=1, labels=labels), driver)

    assert causes(report) == ["gpu-operator-not-ready"]


def test_components_do_not_have_to_be_wasm() -> None:
    plugin = daemon_set(runtimeClassName="nvidia")
    web = deployment()

    report = examined(
        web, pod(owner=web), gpu_node(capacity=1), plugin, pod("plugin-x", owner=plugin)
    )

    assert causes(report) == []
    assert all(each.subject is None or PLUGIN not in each.subject.name for each in report.checks)


def test_restarts_long_ago_are_no_fault() -> None:
    plugin = daemon_set()
    last = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T08:00:00Z"}}
    status = {
        "name": "main", "ready": True, "restartCount": 3, "state": {"running": {}},
        "lastState": last,
    }  # fmt: skip

    report = examined(
        gpu_node(capacity=1), plugin, pod("plugin-x", owner=plugin, statuses=[status])
    )

    assert causes(report) == []
    assert result(report, "gpu-device-plugin-ready").status.value == "PASS"
    assert GPU in result(report, "gpu-device-plugin-ready").evidence[0].text
