"""What can be told of a GPU workload before it has failed: names, places, handlers, sizes."""

from __future__ import annotations

from typing import Any

import pytest
from builders import container, deployment, meta, node, pod, pod_spec, runtime_class, snapshot
from examining import causes, diagnosis, result
from gpu_builders import (
    GPU,
    asking,
    claim,
    claiming,
    daemon_set,
    device,
    device_class,
    gpu_node,
    operator_resource,
    plugin,
    resource_slice,
    wasm_asking,
)
from gpu_metrics import exported

from kubectl_wasmai.doctor import examine

FITS, REACHES, LABELS = "gpu-request-satisfiable", "gpu-reaches-container", "gpu-nodes-labelled"
OFFERS, DRIVER, MEMORY = "gpu-device-plugin-ready", "gpu-driver-fits", "gpu-memory-suffices"
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


def answer(check: str, *objects: dict[str, Any], **more: Any) -> Any:
    return result(examine(snapshot(*objects, runtime_class(), **more)), check)


def unplaced(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "spec": {**made["spec"], "replicas": 0}, "status": {}}


@pytest.mark.parametrize(
    ("count", "on", "status", "words"),
    [
        (1, gpu_node(capacity=4), "PASS", "node1 has 4 nvidia.com/gpu free"),
        (8, gpu_node(capacity=4), "FAIL", "the largest node has 4"),
        (1, gpu_node(), "FAIL", "no node has any"),
        (1, gpu_node(capacity=4, taints=[TAINT]), "WARN", "does not tolerate nvidia.com/gpu"),
    ],
)
def test_a_request_is_predicted_before_any_pod_exists(
    count: int, on: dict[str, Any], status: str, words: str
) -> None:
    found = answer(FITS, unplaced(asking(count)), on)

    assert found.status.value == status
    assert words in found.reason


def test_a_selector_that_leaves_out_the_gpu_node_is_foreseen() -> None:
    web = unplaced(asking(nodeSelector={"nvidia.com/gpu.product": "A100"}))

    assert "leaves out node1" in answer(FITS, web, gpu_node(capacity=1)).reason


def test_gpus_that_others_hold_are_foreseen() -> None:
    other = asking()
    other["metadata"]["name"] = "other"
    report = examine(
        snapshot(unplaced(asking()), other, pod("other-1", owner=other), gpu_node(capacity=1))
    )

    (found,) = [e for e in report.checks if e.id == FITS and str(e.subject).endswith("web")]
    assert found.status.value == "WARN"
    assert "are taken" in found.reason


def test_a_server_that_offloads_layers_and_asks_for_no_gpu_is_a_warning() -> None:
    server = container(args=["--model", "m.gguf", "--n-gpu-layers", "33"])
    web = deployment(spec=pod_spec(server, runtime_class=None), annotations={})

    found = answer(FITS, web, pod(owner=web), gpu_node(capacity=1))

    assert (found.status.value, "asks for none" in found.reason) == ("WARN", True)


def test_seeing_everybody_s_gpus_without_asking_is_a_warning() -> None:
    server = container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])
    web = deployment(spec=pod_spec(server, runtime_class=None), annotations={})

    found = answer(REACHES, web, pod(owner=web), gpu_node(capacity=1))

    assert (found.status.value, "everybody's" in found.reason) == ("WARN", True)


def rejected(owner: dict[str, Any], *, created: str) -> dict[str, Any]:
    made = pod("web-old", owner=owner, ready=False, statuses=[], created=created)
    made["status"] = {
        "phase": "Failed",
        "reason": "UnexpectedAdmissionError",
        "message": "Pod was rejected: Allocate failed due to no healthy devices present; cannot "
        "allocate unhealthy devices nvidia.com/gpu, which is unexpected",
    }
    return made


def test_a_rejected_pod_that_its_controller_replaced_on_the_same_node_is_history() -> None:
    web = asking()
    web["spec"]["replicas"] = 2
    old = rejected(web, created="2026-01-01T09:00:00Z")

    report = examine(snapshot(web, old, pod(owner=web), gpu_node(capacity=2)))

    assert "gpu-admission-failed" not in causes(report)


def test_a_bare_pod_that_was_rejected_stays_dead() -> None:
    bare = rejected(asking(), created="2026-01-01T09:00:00Z")
    bare["metadata"] = meta("web-old")

    report = examine(snapshot(bare, gpu_node(capacity=1)))

    assert causes(report) == ["gpu-admission-failed"]
    assert result(report, FITS).status.value == "FAIL"


WASM = wasm_asking()
ON_WASM = pod(owner=WASM)
CDI = {"DEVICE_LIST_STRATEGY": "cdi-annotations,cdi-cri", "PASS_DEVICE_SPECS": "true"}


@pytest.mark.parametrize(
    ("offers", "status", "expected"),
    [
        (plugin(DEVICE_LIST_STRATEGY="envvar"), "FAIL", ["gpu-not-injected"]),
        (plugin(), "FAIL", ["gpu-not-injected"]),
        (plugin(DEVICE_LIST_STRATEGY="volume-mounts"), "FAIL", ["gpu-not-injected"]),
        (plugin(DEVICE_LIST_STRATEGY="cdi-cri"), "PASS", []),
        (plugin(DEVICE_LIST_STRATEGY="envvar,cdi-annotations"), "PASS", []),
        (plugin(**CDI), "PASS", []),
        (plugin(DEVICE_LIST_STRATEGY="envvar", PASS_DEVICE_SPECS="true"), "WARN", []),
        (plugin(CONFIG_FILE="/config/config.yaml"), "UNKNOWN", []),
        (daemon_set("nvidia-gpu-device-plugin"), "PASS", []),
        (daemon_set("amdgpu-device-plugin-daemonset"), "UNKNOWN", []),
    ],
    ids=["envvar", "default", "volume-mounts", "cdi", "both", "operator", "devices", "file", "gke",
         "amd"],
)  # fmt: skip
def test_a_wasm_handler_gets_a_gpu_by_cdi_alone(
    offers: dict[str, Any], status: str, expected: list[str]
) -> None:
    objects = (WASM, ON_WASM, gpu_node(capacity=1), node("node1", "crun"), offers)

    report = examine(snapshot(*objects[:3], runtime_class(), offers, pod("p", owner=offers)))

    assert [c for c in causes(report) if c.startswith("gpu")] == expected
    assert result(report, REACHES).status.value == status


def operator(image: str) -> dict[str, Any]:
    spec = pod_spec(container(image=image), runtime_class=None)
    made = deployment("gpu-operator", spec=spec, annotations={})
    return {**made, "status": {"replicas": 1}}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (operator("nvcr.io/nvidia/gpu-operator:v26.7.0"), "PASS"),
        (operator("nvcr.io/nvidia/gpu-operator:v25.10.1"), "PASS"),
        (operator("nvcr.io/nvidia/gpu-operator:v25.3.4"), "UNKNOWN"),
        (operator_resource(reason="Reconciled"), "UNKNOWN"),
    ],
)
def test_where_the_plugin_does_not_tell_the_operator_s_version_may(
    told: dict[str, Any], status: str
) -> None:
    assert answer(REACHES, WASM, ON_WASM, gpu_node(capacity=1), told).status.value == status


@pytest.mark.parametrize(("enabled", "status"), [(True, "PASS"), (False, "FAIL")])
def test_the_operator_s_own_setting_counts(enabled: bool, status: str) -> None:
    policy = operator_resource(reason="Reconciled")
    policy["spec"] = {"cdi": {"enabled": enabled}}

    assert answer(REACHES, WASM, ON_WASM, gpu_node(capacity=1), policy).status.value == status


def test_gke_is_known_by_its_label_alone() -> None:
    on = gpu_node(capacity=1, labels={"cloud.google.com/gke-accelerator": "nvidia-l4"})

    assert answer(REACHES, WASM, ON_WASM, on).status.value == "PASS"


def test_a_built_in_plugin_is_no_fault_and_said() -> None:
    web = asking()

    found = answer(OFFERS, web, pod(owner=web), gpu_node(capacity=1))

    assert found.status.value == "PASS"
    assert "no device plugin's DaemonSet is in sight" in found.reason


@pytest.mark.parametrize(
    "labels",
    [
        {"nvidia.com/gpu.deploy.device-plugin": "paused-for-driver-upgrade"},
        {"nvidia.com/gpu-driver-upgrade-state": "drain-required"},
        {"nvidia.com/gpu.deploy.operands": "false"},
    ],
)
def test_a_node_that_the_operator_holds_back_is_named(labels: dict[str, str]) -> None:
    web = asking()
    held = gpu_node("node2", labels={"nvidia.com/gpu.present": "true", **labels})
    report = examine(snapshot(web, pod(owner=web), gpu_node(capacity=1), held))

    answers = {e.status.value: str(e.subject) for e in report.checks if e.id == OFFERS}
    assert answers["WARN"] == "Node node2"
    assert "PASS" in answers


GFD = {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gfd.timestamp": "1767261600"}
"""10:00 of the day on which the snapshot is taken at 12:00."""


@pytest.mark.parametrize(
    ("started", "status"), [("2026-01-01T10:02:00Z", "PASS"), ("2026-01-01T11:30:00Z", "WARN")]
)
def test_labels_older_than_the_plugin_s_last_start_are_stale(started: str, status: str) -> None:
    web, offers = asking(), daemon_set()
    running = [{"name": "main", "ready": True, "state": {"running": {"startedAt": started}}}]
    on = gpu_node(capacity=1, labels=GFD)

    found = answer(
        LABELS, web, pod(owner=web), on, offers, pod("p", owner=offers, statuses=running)
    )

    assert found.status.value == status


def test_labels_of_another_driver_than_the_exporter_meets_are_stale() -> None:
    web, exporter = asking(), daemon_set("nvidia-dcgm-exporter")
    labels = {**GFD, "nvidia.com/cuda.driver-version.full": "550.54.15"}

    found = answer(
        LABELS, web, pod(owner=web), gpu_node(capacity=1, labels=labels), exporter,
        pod("x", owner=exporter), metrics={"x": exported(driver="570.172.08")},
    )  # fmt: skip

    assert found.status.value == "WARN"
    assert "exporter meets 570.172.08" in found.reason


def cuda(version: str) -> dict[str, Any]:
    web = claiming(claim="gpu")
    server = web["spec"]["template"]["spec"]["containers"][0]
    server["image"] = f"example.test/llama-server:cuda{version}"
    return web


@pytest.mark.parametrize(
    ("version", "driver", "status", "words"),
    [
        ("12.4", "570.172.8", "WARN", "branch that has ended"),
        ("12.4", "580.95.5", "PASS", "new enough"),
        ("13.0", "570.172.8", "FAIL", "CUDA 13.0 needs driver 580.65"),
    ],
)
def test_a_dra_driver_s_devices_tell_driver_and_architecture(
    version: str, driver: str, status: str, words: str
) -> None:
    web = cuda(version)
    published = resource_slice(
        device(driverVersion=driver, cudaComputeCapability="9.0.0", cudaDriverVersion="13.0.0")
    )
    found = answer(
        DRIVER, web, pod(owner=web), gpu_node(), published, claim(device="gpu-0"), device_class()
    )

    assert found.status.value == status
    assert words in found.reason


def test_an_architecture_that_the_build_has_no_code_for_is_a_root_cause() -> None:
    web = cuda("12.4")
    published = resource_slice(
        device(driverVersion="580.95.5", cudaComputeCapability="10.0.0", cudaDriverVersion="13.0.0")
    )

    report = examine(snapshot(
        web, pod(owner=web), gpu_node(), published, claim(device="gpu-0"), device_class()
    ))  # fmt: skip

    assert causes(report) == ["gpu-architecture-unsupported"]
    assert "10.0 of node1 needs CUDA 12.8" in diagnosis(report).evidence[0].text


def test_where_the_build_has_no_code_for_the_gpu_a_newer_driver_would_not_help() -> None:
    web = cuda("13.0")
    published = resource_slice(device(driverVersion="570.124.6", cudaComputeCapability="7.0.0"))

    report = examine(snapshot(
        web, pod(owner=web), gpu_node(), published, claim(device="gpu-0"), device_class()
    ))  # fmt: skip

    assert causes(report) == ["gpu-architecture-unsupported"]


def test_a_newer_minor_version_than_the_driver_knows_is_a_warning() -> None:
    web = cuda("13.2")
    published = resource_slice(
        device(driverVersion="580.95.5", cudaComputeCapability="9.0.0", cudaDriverVersion="13.0.0")
    )
    found = answer(
        DRIVER, web, pod(owner=web), gpu_node(), published, claim(device="gpu-0"), device_class()
    )

    assert found.status.value == "WARN"
    assert "error 222" in found.reason


LLAMA_7B, LLAMA_70B = "llama-2-7b-chat.Q4_K_M.gguf", "llama-2-70b-chat.Q4_K_M.gguf"


def serving(file: str, *more: str, resource: str = GPU) -> dict[str, Any]:
    web = asking(resource=resource)
    server = web["spec"]["template"]["spec"]["containers"][0]
    server["args"] = ["--model-path", f"/models/{file}", *more]
    return web


@pytest.mark.parametrize(
    ("file", "more", "mib", "status", "words"),
    [
        (LLAMA_7B, (), "24576", "PASS", "of 24.0 GiB"),
        (LLAMA_7B, (), "4096", "WARN", "context need about"),
        (LLAMA_7B, ("--ctx-size", "65536"), "24576", "WARN", "need about"),
        (LLAMA_70B, (), "24576", "WARN", "weights alone"),
        ("model.gguf", (), "24576", "UNKNOWN", "size of its model"),
    ],
)
def test_a_model_s_size_is_held_against_the_gpu_s_memory(
    file: str, more: tuple[str, ...], mib: str, status: str, words: str
) -> None:
    web = serving(file, *more)
    on = gpu_node(capacity=1, labels={"nvidia.com/gpu.memory": mib})

    found = answer(MEMORY, web, pod(owner=web), on)

    assert found.status.value == status
    assert words in found.reason


SHARED = {"nvidia.com/gpu.replicas": "4"}


@pytest.mark.parametrize(
    ("labels", "resource", "status"),
    [
        ({"nvidia.com/gpu.memory": "15360"}, GPU, "PASS"),
        ({"amd.com/gpu.vram": "192G"}, "amd.com/gpu", "PASS"),
        ({"karpenter.k8s.aws/instance-gpu-memory": "15360"}, GPU, "PASS"),
        ({"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}, GPU, "PASS"),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, GPU, "PASS"),
        ({"cloud.google.com/gke-accelerator": "nvidia-tesla-p4"}, GPU, "PASS"),
        ({}, "nvidia.com/mig-1g.5gb", "WARN"),
        ({}, "nvidia.com/mig-1g.10gb", "PASS"),
        ({}, GPU, "UNKNOWN"),
        (
            {"nvidia.com/gpu.memory": "15360", "nvidia.com/gpu.sharing-strategy": "mps", **SHARED},
            GPU,
            "WARN",
        ),
        (
            {
                "nvidia.com/gpu.memory": "11264",
                "nvidia.com/gpu.sharing-strategy": "time-slicing",
                **SHARED,
            },
            GPU,
            "WARN",
        ),
    ],
)
def test_a_gpu_s_memory_is_told_in_many_ways(
    labels: dict[str, str], resource: str, status: str
) -> None:
    web = serving(LLAMA_7B, resource=resource)

    found = answer(
        MEMORY, web, pod(owner=web), gpu_node(capacity=4, resource=resource, labels=labels)
    )

    assert found.status.value == status


def test_devices_and_exporters_tell_the_memory_too() -> None:
    web = claiming(claim="gpu")
    server = web["spec"]["template"]["spec"]["containers"][0]
    server["env"] = [
        {"name": "WASMEDGE_WASINN_PRELOAD", "value": f"default:GGML:AUTO:/m/{LLAMA_7B}"}
    ]
    small = resource_slice(device(memory="4Gi"))
    counted, exporter = serving(LLAMA_7B), daemon_set("nvidia-dcgm-exporter")

    by_device = answer(
        MEMORY, web, pod(owner=web), gpu_node(), small, claim(device="gpu-0"), device_class()
    )
    by_exporter = answer(
        MEMORY, counted, pod(owner=counted), gpu_node(capacity=1), exporter,
        pod("x", owner=exporter), metrics={"x": exported()},
    )  # fmt: skip

    assert by_device.status.value == "WARN"
    assert by_exporter.status.value == "PASS"
    assert "79.1 GiB by the exporter" in by_exporter.evidence[0].text


@pytest.mark.parametrize(
    "check",
    [FITS, REACHES, LABELS, OFFERS, DRIVER, MEMORY, "gpu-in-use", "gpu-busy", "gpu-operator-ready"],
)
def test_where_nobody_wants_a_gpu_nothing_is_missing(check: str) -> None:
    web = deployment()
    bare = gpu_node()

    assert answer(check, web, pod(owner=web), bare).status.value == "SKIP"
