from __future__ import annotations

from typing import Any

import pytest
from builders import deployment, event, pod, runtime_class, snapshot
from examining import causes, diagnosis, result
from gpu_builders import asking, crashing, daemon_set, gpu_node, pending, short

from kubectl_wasmai.doctor import examine

WASM = runtime_class()
WEB = asking()
WAITS = pending(WEB, short())


def examined(*objects: dict[str, Any], **more: Any) -> Any:
    return examine(snapshot(*objects, WASM, **more))


def condition(type_: str, status: str = "True", reason: str = "", message: str = "") -> Any:
    return {"type": type_, "status": status, "reason": reason, "message": message}


def test_capacity_above_allocatable_is_a_device_that_the_plugin_withdrew() -> None:
    report = examined(WEB, pod(owner=WEB), gpu_node(capacity=4, allocatable=3))

    assert causes(report) == ["gpu-device-unhealthy"]
    assert str(diagnosis(report).subject) == "Node node1"


def test_a_withdrawn_gpu_explains_the_pod_that_would_have_had_it() -> None:
    web = asking(2)

    report = examined(web, pending(web, short()), gpu_node(capacity=2, allocatable=1))

    assert causes(report) == ["gpu-device-unhealthy"]
    assert "Deployment default/web" in diagnosis(report).explains


def test_a_node_that_offers_nothing_of_what_it_has_has_lost_it() -> None:
    report = examined(WEB, WAITS, gpu_node(capacity=4, allocatable=0))

    assert causes(report) == ["gpu-lost"]


def test_five_minutes_later_capacity_is_zero_too() -> None:
    assert causes(examined(WEB, WAITS, gpu_node(capacity=0))) == ["gpu-lost"]


def test_a_zero_that_nobody_misses_is_what_an_old_plugin_left_behind() -> None:
    web = deployment()

    assert causes(examined(web, pod(owner=web), gpu_node(capacity=0))) == []


def test_fewer_gpus_than_the_label_says_are_lost() -> None:
    node = gpu_node(capacity=7, labels={"nvidia.com/gpu.count": "8"})

    assert causes(examined(node)) == ["gpu-lost"]


@pytest.mark.parametrize(
    "labels",
    [
        {"nvidia.com/gpu.count": "2", "nvidia.com/gpu.replicas": "4"},
        {"nvidia.com/gpu.count": "16", "nvidia.com/mig.strategy": "mixed"},
        {"nvidia.com/gpu.count": "8"},
        {},
    ],
)
def test_sharing_and_mig_are_counted_as_the_labels_mean_it(labels: dict[str, str]) -> None:
    assert causes(examined(gpu_node(capacity=8, labels=labels))) == []


def test_a_plugin_that_crashed_is_why_its_gpus_are_gone() -> None:
    plugin = daemon_set()

    report = examined(WEB, WAITS, gpu_node(capacity=4, allocatable=0), plugin, crashing(plugin))

    assert causes(report) == ["device-plugin-crashing"]


@pytest.mark.parametrize(
    ("accusation", "cause"),
    [
        (condition("XIDErrors", message="Xid (PCI:0000:ca:00): 79"), "gpu-hardware-fault"),
        (condition("GpuMemWatch"), "gpu-hardware-fault"),
        (condition("SysLogsGPUFallenOff"), "gpu-hardware-fault"),
        (condition("NVLinkStatusInactive"), "gpu-hardware-fault"),
        (condition("AcceleratedHardwareReady", "False", "NvidiaXID79Error"), "gpu-hardware-fault"),
        (
            condition("AcceleratedHardwareReady", "False", "NvidiaDoubleBitError"),
            "gpu-hardware-fault",
        ),
        (condition("GPUMissing", message="Expected to see 8 GPUs but found 7"), "gpu-lost"),
        (condition("GpuThermalWatch"), "gpu-thermal-or-power"),
        (condition("GpuPowerWatch"), "gpu-thermal-or-power"),
    ],
)
def test_conditions_of_monitors_accuse_the_node(accusation: Any, cause: str) -> None:
    report = examined(WEB, pod(owner=WEB), gpu_node(capacity=8, conditions=[accusation]))

    assert causes(report) == [cause]


@pytest.mark.parametrize(
    "harmless",
    [
        condition("XIDErrors", "False"),
        condition("XIDErrors", message="Xid (PCI:0000:ca:00): 31, pid=12, name=python"),
        condition("AcceleratedHardwareReady", "True"),
        condition("GpuThermalWatch", "Unknown"),
        condition("UnhealthyNvidiaDCGMServices"),
        condition("KernelDeadlock"),
    ],
)
def test_what_denies_a_fault_or_blames_a_program_is_none(harmless: Any) -> None:
    assert causes(examined(gpu_node(capacity=8, conditions=[harmless]))) == []


def test_broken_hardware_explains_what_the_plugin_withdrew() -> None:
    xid = condition("XIDErrors", message="NVRM: Xid (PCI:0000:ca:00): 79, fallen off the bus")

    report = examined(WEB, WAITS, gpu_node(capacity=1, allocatable=0, conditions=[xid]))

    assert causes(report) == ["gpu-hardware-fault"]


def test_an_event_of_the_kernel_monitor_accuses_the_node_for_an_hour() -> None:
    node = gpu_node(capacity=1)
    text = "NVRM: Xid (PCI:0000:ca:00): 79, pid=7, GPU has fallen off the bus."

    for time, expected in (
        ("2026-01-01T11:58:00Z", ["gpu-hardware-fault"]),
        ("2025-12-31T12:00:00Z", []),
    ):
        happened = event(node, "XidError", text, time=time)
        happened["involvedObject"].pop("namespace")
        assert causes(examined(node, happened)) == expected


def test_an_xid_in_the_log_of_a_plugin_that_goes_on_names_the_node() -> None:
    plugin = daemon_set()
    log = "XidCriticalError: Xid=79 on Device=GPU-7a; marking device as unhealthy."

    report = examined(
        gpu_node(capacity=2, allocatable=1), plugin, pod("plugin-x", owner=plugin),
        logs={("plugin-x", "main"): log},
    )  # fmt: skip

    assert causes(report) == ["gpu-hardware-fault"]
    assert str(diagnosis(report).subject) == "Node node1"


def test_a_failed_mig_layout_explains_the_slices_that_are_missing() -> None:
    web = asking(1, "nvidia.com/mig-1g.10gb")
    labels = {"nvidia.com/mig.config": "all-1g.10gb", "nvidia.com/mig.config.state": "failed"}
    waits = pending(web, short("nvidia.com/mig-1g.10gb"))

    report = examined(web, waits, gpu_node(capacity=1, labels=labels))

    assert causes(report) == ["mig-config-failed"]
    assert "Deployment default/web" in diagnosis(report).explains


def test_a_node_that_is_not_ready_has_not_lost_its_gpus() -> None:
    node = gpu_node(capacity=1, allocatable=0)
    node["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]

    assert "gpu-lost" not in causes(examined(node))


@pytest.mark.parametrize(
    "type_",
    [
        *("GpuMemWatch", "GpuThermalWatch", "GpuPcieWatch", "GpuPowerWatch", "GpuInforomWatch"),
        *("GpuNvlinkWatch", "SysLogsXIDError", "SysLogsGPUFallenOff", "GPUMissing", "XIDErrors"),
        "NVLinkStatusInactive",
    ],
)
def test_known_conditions_accuse_when_they_hold_and_only_then(type_: str) -> None:
    for status, faults in (("True", 1), ("False", 0), ("Unknown", 0)):
        node = gpu_node(capacity=8, conditions=[condition(type_, status)])
        assert len(causes(examined(WEB, pod(owner=WEB), node))) == faults


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (condition("GpuBurnInFinished"), []),
        (condition("GpuSomethingUnhealthy", message="trouble"), []),
        (condition("GpuDriverWatch"), []),
        (condition("GpuDcgmUnresponsive"), []),
        (
            condition("GpuBurnInFailed", message="GPU has fallen off the bus"),
            ["gpu-hardware-fault"],
        ),
        (condition("GpuXidFree", message="Xid 79 was last seen never"), []),
        (condition("NvidiaGpuReady", "False", message="Xid 79"), ["gpu-hardware-fault"]),
    ],
)
def test_conditions_that_nobody_knows_are_shown_and_judged_only_by_plain_words(
    shown: Any, fault: list[str]
) -> None:
    report = examined(WEB, pod(owner=WEB), gpu_node(capacity=8, conditions=[shown]))

    assert causes(report) == fault
    found = result(report, "gpu-healthy")
    assert any(shown["type"] in each.text for each in found.evidence)


def test_a_name_that_sharing_left_behind_with_nothing_is_not_lost() -> None:
    node = gpu_node(
        capacity=0, labels={"nvidia.com/gpu.count": "2", "nvidia.com/gpu.replicas": "4"}
    )
    for amounts in (node["status"]["capacity"], node["status"]["allocatable"]):
        amounts["nvidia.com/gpu.shared"] = "8"

    assert causes(examined(WEB, pod(owner=WEB), node)) == []
