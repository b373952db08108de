"""Is the GPU used, how much, and what do the exporter's numbers accuse it of?"""

from __future__ import annotations

from typing import Any

import pytest
from builders import pod, snapshot
from examining import causes, result
from gpu_builders import asking, claim, claiming, daemon_set, device_class, gpu_node, resource_slice
from gpu_metrics import BLANK, exported
from hypothesis import given, settings
from hypothesis import strategies as st
from kubectl_wasmai.checks.gpu_metrics import DCGM

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.doctor.model import Options, Thresholds
from kubectl_wasmai.snapshot.model import Denied

WEB = asking()
NAME = "web-5d9-x"
EXPORTER = daemon_set("nvidia-dcgm-exporter")
ON_NODE = pod("exporter-x", owner=EXPORTER)
ALL_METRICS = [name for names in DCGM.values() for name in names]
MIG = {"GPU_I_PROFILE": "1g.10gb", "GPU_I_ID": "7"}


def examined(
    text: str | None, *objects: dict[str, Any], web: dict[str, Any] = WEB, **more: Any
) -> Any:
    metrics = {} if text is None else {"exporter-x": text}
    node = gpu_node(capacity=1)
    taken = snapshot(
        node, EXPORTER, ON_NODE, web, pod(owner=web), *objects, metrics=metrics, **more
    )
    return examine(taken)


def busy(value: str, **more: Any) -> str:
    return exported({"DCGM_FI_DEV_GPU_UTIL": value}, pod=NAME, **more)


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        ("87", "PASS", "87 % busy"),
        ("51", "PASS", "51 % busy"),
        ("50", "WARN", "50 % busy now, wanted above 50 %"),
        ("0", "SKIP", "at rest"),
        ("5", "SKIP", "at rest"),
        (BLANK, "UNKNOWN", "has not been measured"),
    ],
)
def test_how_busy_the_gpu_is(value: str, status: str, words: str) -> None:
    text = exported(
        {"DCGM_FI_DEV_GPU_UTIL": value, "DCGM_FI_PROF_GR_ENGINE_ACTIVE": None}, pod=NAME
    )

    found = result(examined(text), "gpu-busy")

    assert found.status.value == status
    assert words in found.reason


def test_the_threshold_is_an_option() -> None:
    taken = snapshot(gpu_node(capacity=1), EXPORTER, ON_NODE, WEB, pod(owner=WEB),
                     metrics={"exporter-x": busy("30")})  # fmt: skip
    options = Options(thresholds=Thresholds(min_gpu_utilization=20))

    assert result(examine(taken, options), "gpu-busy").status.value == "PASS"


@pytest.mark.parametrize("name", ["DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL_RATIO"])
def test_old_and_new_names_of_a_metric_mean_the_same(name: str) -> None:
    text = exported({"DCGM_FI_DEV_GPU_UTIL": None, name: "70"}, pod=NAME)

    assert result(examined(text), "gpu-busy").status.value == "PASS"


@pytest.mark.parametrize(
    "name", ["DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"]
)
def test_of_a_slice_the_engine_s_activity_counts_and_not_a_zero_of_the_whole(name: str) -> None:
    text = exported(
        {"DCGM_FI_DEV_GPU_UTIL": "0", "DCGM_FI_PROF_GR_ENGINE_ACTIVE": None, name: "0.625"},
        pod=NAME, labels=MIG,
    )  # fmt: skip

    found = result(examined(text), "gpu-busy")

    assert found.status.value == "PASS"
    assert "slice 7 of node1" in found.evidence[0].text


def test_a_slice_without_profiling_is_unknown() -> None:
    text = exported({"DCGM_FI_PROF_GR_ENGINE_ACTIVE": None}, pod=NAME, labels=MIG)

    found = result(examined(text), "gpu-busy")

    assert found.status.value == "UNKNOWN"
    assert "DCGM_FI_PROF_GR_ENGINE_ACTIVE" in found.needs


def test_amd_s_exporter_is_understood() -> None:
    labels = 'gpu_id="0",serial_number="1",card_model="MI300X",pod="web-5d9-x",namespace="default"'
    text = "".join(
        f"{name}{{{labels}}} {value}\n"
        for name, value in (
            ("gpu_gfx_activity", 80), ("gpu_used_vram", 20000), ("gpu_total_vram", 196592),
        )
    )  # fmt: skip
    web = asking(resource="amd.com/gpu")

    report = examined(text, web=web)

    assert result(report, "gpu-busy").status.value == "PASS"
    assert result(report, "gpu-in-use").status.value == "PASS"


def test_without_an_exporter_it_is_said_what_would_measure() -> None:
    found = result(examined(None), "gpu-busy")

    assert found.status.value == "UNKNOWN"
    assert "DCGM_FI_DEV_GPU_UTIL" in found.needs


@pytest.mark.parametrize("check", ["gpu-busy", "gpu-in-use"])
def test_a_right_that_is_missing_is_named(check: str) -> None:
    denied = (Denied("get", "pods/proxy", "gpu-operator"),)

    found = result(examined(None, denied=denied), check)

    assert found.status.value == "UNKNOWN"
    assert found.needs == (
        "get pods/proxy in namespace gpu-operator; the rule that grants it: "
        '- {apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"]}'
    )


def test_an_exporter_that_is_no_pod_is_named() -> None:
    node = gpu_node(capacity=1, labels={"kubernetes.azure.com/dcgm-exporter": "enabled"})

    found = result(examine(snapshot(node, WEB, pod(owner=WEB))), "gpu-busy")

    assert "19400" in found.needs


def test_a_held_gpu_whose_memory_is_used_is_in_use() -> None:
    text = exported({"DCGM_FI_DEV_FB_USED": "5211"}, pod=NAME)

    found = result(examined(text), "gpu-in-use")

    assert found.status.value == "PASS"
    assert "5211 MiB" in found.reason


def test_a_ready_pod_that_holds_no_memory_of_its_gpu_seems_to_run_on_the_cpu() -> None:
    found = result(examined(exported({"DCGM_FI_DEV_FB_USED": "430"}, pod=NAME)), "gpu-in-use")

    assert found.status.value == "WARN"
    assert "CPU" in found.reason


def test_a_pod_by_claim_has_the_gpu_of_its_node() -> None:
    web = claiming(claim="gpu")
    text = exported({"DCGM_FI_DEV_FB_USED": "5211"})
    others = (claim(device="gpu-0"), device_class(), resource_slice())

    assert result(examined(text, *others, web=web), "gpu-in-use").status.value == "PASS"


def test_the_memory_of_a_shared_gpu_is_nobody_s() -> None:
    other = asking()
    other["metadata"]["name"] = "other"
    neighbour = pod("other-1", owner=other)
    text = exported({"DCGM_FI_DEV_FB_USED": "5211"})

    found = result(examine(snapshot(
        gpu_node(capacity=4), EXPORTER, ON_NODE, WEB, pod(owner=WEB), neighbour, other,
        metrics={"exporter-x": text},
    )), "gpu-nodes-labelled")  # fmt: skip
    report = examine(snapshot(
        gpu_node(capacity=4), EXPORTER, ON_NODE, WEB, pod(owner=WEB), other, neighbour,
        metrics={"exporter-x": text},
    ))  # fmt: skip

    assert found.status.value == "WARN"
    answers = [each.status.value for each in report.checks if each.id == "gpu-in-use"]
    assert answers == ["UNKNOWN", "UNKNOWN"]


def test_prometheus_names_of_a_pod_are_understood() -> None:
    labels = {"pod": "exporter-x", "namespace": "default", "exported_pod": NAME,
              "exported_namespace": "default"}  # fmt: skip
    text = exported({"DCGM_FI_DEV_FB_USED": "5211"}, labels=labels)

    assert result(examined(text), "gpu-in-use").status.value == "PASS"


HEALTHY = {"DCGM_FI_DEV_GPU_TEMP": "61"}


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        (HEALTHY, "PASS", "no monitor accuses"),
        ({"DCGM_FI_DEV_ROW_REMAP_FAILURE": "1"}, "FAIL", "remapping of memory rows has failed"),
        ({"DCGM_FI_DEV_ROW_REMAP_PENDING": "1"}, "WARN", "wait to be remapped"),
        ({"DCGM_FI_DEV_XID_ERRORS": "79"}, "WARN", "last Xid was 79"),
        ({"DCGM_FI_DEV_XID_ERRORS": "31"}, "WARN", "a program's doing"),
        ({"DCGM_FI_DEV_XID_ERRORS": BLANK}, "PASS", "no monitor accuses"),
        ({"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": "2"}, "WARN", "2 uncorrectable memory errors"),
        ({"DCGM_EXP_GPU_HEALTH_STATUS": "20"}, "FAIL", "health watch fails"),
        ({"DCGM_EXP_GPU_HEALTH_STATUS": "10"}, "WARN", "health watch warns"),
        ({"DCGM_FI_DEV_CLOCKS_EVENT_REASONS": "64"}, "WARN", "clocks down"),
        ({"DCGM_FI_DEV_CLOCKS_EVENT_REASONS": "4"}, "PASS", "no monitor accuses"),
        ({"DCGM_FI_DEV_GPU_TEMP": "88"}, "WARN", "88 °C; the device does not tell"),
        (
            {"DCGM_FI_DEV_GPU_TEMP": "88", "DCGM_FI_DEV_GPU_MAX_OP_TEMP": "95"},
            "PASS",
            "no monitor accuses",
        ),
        (
            {"DCGM_FI_DEV_GPU_TEMP": "95", "DCGM_FI_DEV_SLOWDOWN_TEMP": "92"},
            "FAIL",
            "at its limit of 92 °C",
        ),
        (
            {"DCGM_FI_DEV_GPU_TEMP": "84", "DCGM_FI_DEV_GPU_TEMP_LIMIT": "3"},
            "WARN",
            "3 °C below the limit",
        ),
    ],
)
def test_what_the_numbers_say_of_a_gpu_s_health(
    values: dict[str, str | None], status: str, words: str
) -> None:
    found = result(examined(exported(values, pod=NAME)), "gpu-healthy")

    assert found.status.value == status
    assert words in found.reason


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (HEALTHY, []),
        ({"DCGM_FI_DEV_ROW_REMAP_FAILURE": "1"}, ["gpu-hardware-fault"]),
        ({"DCGM_FI_DEV_XID_ERRORS": "79"}, []),
        (
            {"DCGM_FI_DEV_GPU_TEMP": "95", "DCGM_FI_DEV_SLOWDOWN_TEMP": "92"},
            ["gpu-thermal-or-power"],
        ),
    ],
)
def test_which_numbers_are_a_root_cause(values: dict[str, str | None], expected: list[str]) -> None:
    assert causes(examined(exported(values, pod=NAME))) == expected


def test_a_sticky_xid_is_certain_where_the_plugin_withdrew_a_gpu() -> None:
    text = exported({"DCGM_FI_DEV_XID_ERRORS": "79"})
    node = gpu_node(capacity=2, allocatable=1)

    report = examine(snapshot(node, EXPORTER, ON_NODE, metrics={"exporter-x": text}))

    assert causes(report) == ["gpu-hardware-fault"]


def test_a_device_that_fell_ill_in_a_running_pod_is_the_node_s_fault() -> None:
    device = {"resourceID": "GPU-58e8", "health": "Unhealthy", "message": "Xid 94"}
    status = [
        {
            "name": "main",
            "ready": True,
            "state": {"running": {}},
            "allocatedResourcesStatus": [{"name": "nvidia.com/gpu", "resources": [device]}],
        }
    ]

    report = examine(snapshot(gpu_node(capacity=1), WEB, pod(owner=WEB, statuses=status)))

    assert causes(report) == ["gpu-device-unhealthy"]
    assert "Deployment default/web" in report.diagnoses[0].explains
    assert "GPU-58e8 is Unhealthy: Xid 94" in result(report, "gpu-healthy").reason


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(ALL_METRICS)),
        st.one_of(st.floats().map(repr), st.integers().map(str), st.text(max_size=5)),
    )
)
def test_no_number_is_too_odd(values: dict[str, str | None]) -> None:
    report = examined(exported(values, pod=NAME))

    assert {c.status.value for c in report.checks if c.id.startswith("gpu-")} <= {
        *("PASS", "WARN", "FAIL", "UNKNOWN", "SKIP"),
    }
