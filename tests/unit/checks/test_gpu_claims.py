"""Claims on devices: what keeps them from being allocated, found before any text."""

from __future__ import annotations

from typing import Any

import pytest
from builders import deployment, pod, pod_spec, snapshot
from examining import causes, diagnosis, result
from gpu_builders import (
    CLASS,
    GPU,
    NO_CLAIM,
    asking,
    claim,
    claim_template,
    claiming,
    device,
    device_class,
    gpu_node,
    pending,
    resource_slice,
    short,
)

from kubectl_wasmai.doctor import examine

NODE = gpu_node()
WEB = claiming(template="gpu")
WAITS = pending(WEB, NO_CLAIM)
TEMPLATE = claim_template()
CHECK = "gpu-request-satisfiable"
XID = {"key": "gpu.nvidia.com/xid", "value": "79", "effect": "NoSchedule"}


def examined(*objects: dict[str, Any], **more: Any) -> Any:
    return examine(snapshot(NODE, *objects, **more))


def test_a_template_that_does_not_exist_is_named() -> None:
    report = examined(WEB, WAITS, device_class(), resource_slice())

    assert causes(report) == ["dra-claim-unsatisfied"]
    assert "ResourceClaimTemplate default/gpu, which does not exist" in (
        diagnosis(report).evidence[0].text
    )


def test_a_claim_that_does_not_exist_is_named_even_without_the_scheduler_s_word() -> None:
    web = claiming(claim="mine")
    waits = pod(owner=web, ready=False, node="", statuses=[])

    report = examined(web, waits, device_class(), resource_slice())

    assert causes(report) == ["dra-claim-unsatisfied"]
    assert "ResourceClaim default/mine" in diagnosis(report).remedy.summary


def test_a_class_that_does_not_exist_is_named() -> None:
    report = examined(WEB, WAITS, TEMPLATE, resource_slice())

    assert causes(report) == ["dra-claim-unsatisfied"]
    assert diagnosis(report).certainty.value == "certain"
    assert f"DeviceClass {CLASS} does not exist" in diagnosis(report).remedy.summary
    assert result(report, CHECK).status.value == "FAIL"


def test_a_driver_that_publishes_nothing_is_named() -> None:
    other = resource_slice(driver="dranet.example")

    report = examined(WEB, WAITS, TEMPLATE, device_class(), other)

    assert causes(report) == ["dra-claim-unsatisfied"]
    assert f"no node publishes a device of driver {CLASS}" in diagnosis(report).remedy.summary


def test_devices_that_do_not_fit_the_class_are_none() -> None:
    whole = resource_slice(device(type="mig"))

    report = examined(WEB, WAITS, TEMPLATE, device_class(), whole)

    assert "no published device fits" in diagnosis(report).remedy.summary


def test_devices_that_are_all_taken_are_named_with_who_has_them() -> None:
    other = claim("other", device="gpu-0")

    report = examined(WEB, WAITS, TEMPLATE, device_class(), resource_slice(), other)

    assert causes(report) == ["dra-claim-unsatisfied"]
    assert "default/other" in diagnosis(report).remedy.summary


def test_older_slices_of_a_pool_do_not_count() -> None:
    old = resource_slice(device("gpu-9"), generation=1)
    new = resource_slice(device("gpu-0"), generation=2)

    report = examined(WEB, WAITS, TEMPLATE, device_class(), old, new, claim("x", device="gpu-0"))

    assert causes(report) == ["dra-claim-unsatisfied"]


def test_more_than_any_node_publishes_is_too_much() -> None:
    web = claiming(claim="two")
    two = claim("two", count=2)

    report = examined(web, pending(web, NO_CLAIM), two, device_class(), resource_slice())

    assert "no node has 2 devices" in diagnosis(report).remedy.summary


def test_a_device_with_a_hardware_xid_is_a_fault_of_the_node() -> None:
    sick = resource_slice(device(taints=[XID]))

    report = examined(WEB, WAITS, TEMPLATE, device_class(), sick)

    assert causes(report) == ["gpu-hardware-fault"]
    assert str(diagnosis(report).subject) == "Node node1"
    assert "Deployment default/web" in diagnosis(report).explains
    assert result(report, "gpu-healthy").status.value == "FAIL"


@pytest.mark.parametrize(
    "taint",
    [
        {**XID, "value": "31", "effect": "None"},
        {"key": "gpu.nvidia.com/unmonitored", "effect": "None"},
        {"key": "example.com/maintenance", "effect": "NoSchedule"},
    ],
)
def test_other_taints_accuse_no_hardware(taint: dict[str, str]) -> None:
    web = claiming(claim="gpu")
    held = claim(device="gpu-0")
    published = resource_slice(device(taints=[taint]))

    assert causes(examined(web, pod(owner=web), held, device_class(), published)) == []


def test_an_allocated_claim_passes() -> None:
    web = claiming(claim="gpu")

    report = examined(web, pod(owner=web), claim(device="gpu-0"), device_class(), resource_slice())

    assert causes(report) == []
    assert result(report, CHECK).status.value == "PASS"
    assert "gpu-0" in result(report, CHECK).evidence[0].text
    assert result(report, "gpu-reaches-container").status.value == "PASS"
    assert result(report, "gpu-device-plugin-ready").status.value == "PASS"
    assert result(report, "gpu-nodes-labelled").status.value == "PASS"
    assert result(report, "gpu-healthy").status.value == "PASS"


def test_what_is_not_understood_in_an_expression_leaves_it_open() -> None:
    strange = device_class(expression="device.capacity['x'].memory.compareTo(quantity('1Ti')) > 0")

    report = examined(WEB, WAITS, TEMPLATE, strange, resource_slice())

    # The scheduler's own words remain.
    assert causes(report) == ["dra-claim-unsatisfied"]
    assert "cannot allocate all claims" in diagnosis(report).remedy.summary


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("ResourceClaimTemplate", (device_class(), resource_slice())),
        ("DeviceClass", (TEMPLATE, resource_slice())),
        ("ResourceSlice", (TEMPLATE, device_class())),
    ],
)
def test_kinds_that_were_not_collected_claim_nothing(kind: str, seen: Any) -> None:
    waits = pod(owner=WEB, ready=False, node="", statuses=[])

    report = examined(WEB, waits, *seen, without=(kind,))

    assert causes(report) == []
    assert result(report, CHECK).status.value == "UNKNOWN"


def test_claims_of_network_cards_are_nobody_s_wish_for_a_gpu() -> None:
    net = device_class("fast-net", driver="dranet.example")
    web = claiming(template="nic")
    template = claim_template("nic", "fast-net")

    report = examined(web, pending(web, NO_CLAIM), template, net)

    assert causes(report) == []
    assert result(report, CHECK).status.value == "SKIP"


def old_form(made: dict[str, Any]) -> dict[str, Any]:
    """As ``resource.k8s.io/v1beta1`` writes it."""
    spec = made["spec"]
    if made["kind"] == "ResourceSlice":
        devices = [
            {"name": d["name"], "basic": {k: v for k, v in d.items() if k != "name"}}
            for d in spec["devices"]
        ]
        return {**made, "spec": {**spec, "devices": devices}}
    requests = [{"name": r["name"], **r["exactly"]} for r in spec["devices"]["requests"]]
    return {**made, "spec": {"devices": {"requests": requests}}}


def test_v1beta1_is_read_as_well() -> None:
    web = claiming(claim="gpu")
    wish = old_form(claim("gpu"))
    published = old_form(resource_slice(device(driverVersion="570.86.10")))
    fits = examined(web, pending(web, NO_CLAIM), wish, device_class(), published)
    missing = examined(web, pending(web, NO_CLAIM), wish, published)

    assert "cannot allocate" in diagnosis(fits).remedy.summary
    assert "DeviceClass gpu.nvidia.com does not exist" in diagnosis(missing).remedy.summary


def test_the_first_alternative_that_fits_is_enough() -> None:
    web = claiming(claim="gpu")
    wish = claim("gpu")
    either = [{"name": "a", "deviceClassName": "none"}, {"name": "b", "deviceClassName": CLASS}]
    wish["spec"]["devices"]["requests"] = [{"name": "gpu", "firstAvailable": either}]
    waits = pod(owner=web, ready=False, node="", statuses=[])

    assert causes(examined(web, waits, wish, device_class(), resource_slice())) == []


@pytest.mark.parametrize(
    ("version", "expected"), [("v1.36.2", []), ("v1.34.1", ["gpu-resource-name-mismatch"])]
)
def test_a_class_may_stand_for_an_extended_resource(version: str, expected: list[str]) -> None:
    web = asking()
    class_ = device_class(extended=GPU)

    report = examined(web, pending(web, short()), class_, resource_slice(), version=version)

    # With a free device the pod waits for something else, or will be placed in a moment.
    assert [c for c in causes(report) if c != "gpu-exhausted"] == expected
    if expected:
        assert f"a resource claim of class {CLASS}" in diagnosis(report).remedy.summary


def test_devices_behind_an_extended_resource_can_be_exhausted() -> None:
    web = asking()
    class_ = device_class(extended=GPU)
    other = claim("other", device="gpu-0")

    report = examined(
        web, pending(web, short()), class_, resource_slice(), other, version="v1.36.0"
    )

    assert causes(report) == ["gpu-exhausted"]


def test_before_the_pod_is_judged_an_extended_resource_is_predicted_to_fit() -> None:
    web = deployment(spec=asking()["spec"]["template"]["spec"], annotations={}, replicas=0)

    report = examined(web, device_class(extended=GPU), resource_slice(), version="v1.36.0")

    assert result(report, CHECK).status.value == "PASS"
    assert "node1 has 1 nvidia.com/gpu free" in result(report, CHECK).reason


def test_the_implicit_name_of_a_class_is_a_request_for_a_gpu() -> None:
    web = asking(1, f"deviceclass.resource.kubernetes.io/{CLASS}")

    report = examined(web, device_class(), resource_slice(), version="v1.36.0")

    assert result(report, CHECK).status.value == "PASS"


def test_a_pod_without_any_gpu_wish_is_not_asked_about() -> None:
    plain = deployment(spec=pod_spec(runtime_class=None), annotations={})

    assert result(examined(plain), CHECK).status.value == "SKIP"
