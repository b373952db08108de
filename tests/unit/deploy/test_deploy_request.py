from __future__ import annotations

from decimal import Decimal

import pytest
from deploy_builders import request
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.deploy.quantity import is_quantity, parse_quantity
from kubectl_wasmai.deploy.request import (
    RequestError,
    effective_resources,
    image_warning,
    parse_pairs,
    parse_resources,
)


@pytest.mark.parametrize("name", ["Web", "1web", "web-", "web.a", "w" * 64, "", "-web", "we b"])
def test_a_name_that_cannot_name_a_service_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="cannot name a Service"):
        request(name=name)


@pytest.mark.parametrize("name", ["web", "w", "my-model-2", "w" * 63])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert request(name=name).name == name


@pytest.mark.parametrize(
    "image",
    ["https://example.test/web:1", "example.test/Web:1", "", "a b:1", "web:", "web@sha256:x"],
)
def test_what_no_registry_can_serve_is_refused(image: str) -> None:
    with pytest.raises(RequestError, match="--image"):
        request(image=image)


@pytest.mark.parametrize(
    ("image", "warned"),
    [
        ("web", True),
        ("example.test:5000/web", True),
        ("example.test:5000/a/web:latest", True),
        ("example.test:5000/web:1", False),
        ("web@sha256:" + "a" * 64, False),
        ("web:latest@sha256:" + "a" * 64, False),
    ],
)
def test_a_tag_that_can_move_is_warned_of(image: str, warned: bool) -> None:
    assert bool(image_warning(request(image=image).image)) is warned


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"port": 0}, "--port"),
        ({"port": 65536}, "--port"),
        ({"replicas": -1}, "--replicas"),
        ({"health_path": "health"}, "--health-path"),
        ({"run_as_user": -1}, "--run-as-user"),
        ({"runtime_class": "Wasm_1"}, "--class"),
        ({"env": {"A=B": "1"}}, "--env"),
        ({"env": {"PORT": "9000"}}, "--port 9000"),
        ({"labels": {"app.kubernetes.io/managed-by": "me"}}, "finds its objects"),
        ({"labels": {"team": "a b"}}, "--labels team"),
        ({"labels": {"a/b/c": "x"}}, "--labels"),
        ({"annotations": {"no blanks": "x"}}, "--annotations"),
    ],
)
def test_a_wrong_value_is_refused_under_the_name_of_its_flag(
    wrong: dict[str, object], told: str
) -> None:
    with pytest.raises(RequestError, match=told):
        request(**wrong)


def test_port_may_be_said_twice_if_it_is_the_same() -> None:
    assert request(port=9000, env={"PORT": "9000"}).port == 9000


def test_values_may_contain_equals_signs_and_commas() -> None:
    assert parse_pairs("--env", ["A=b=c,d=e"]) == {"A": "b=c,d=e"}


def test_labels_may_share_one_flag() -> None:
    assert parse_pairs("--labels", ["a=1,b=2", "c="], commas=True) == {"a": "1", "b": "2", "c": ""}


@pytest.mark.parametrize("entries", [["A"], ["=1"], ["A=1", "A=2"]])
def test_pairs_that_say_nothing_or_two_things_are_refused(entries: list[str]) -> None:
    with pytest.raises(RequestError, match="--env"):
        parse_pairs("--env", entries)


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(RequestError, match="memory=64MB"):
        parse_resources("--limits", ["cpu=1,memory=64MB"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", "0.1"),
        ("1", "1"),
        ("64Mi", "67108864"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("2k", "2000"),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@given(st.text())
def test_any_text_is_a_quantity_or_is_refused_but_never_breaks(text: str) -> None:
    if is_quantity(text):
        assert parse_quantity(text) >= 0
    else:
        with pytest.raises(ValueError, match="quantity"):
            parse_quantity(text)


def test_requests_above_limits_are_refused() -> None:
    with pytest.raises(RequestError, match="cpu=2 is more than --limits cpu=1"):
        request(requests={"cpu": "2"}, limits={"cpu": "1000m"})


def test_a_default_gives_way_to_what_was_said() -> None:
    wanted, allowed = effective_resources({"memory": "1Gi"}, {"cpu": "50m"})

    assert wanted == {"cpu": "50m", "memory": "1Gi"}
    assert allowed == {"cpu": "50m", "memory": "1Gi"}


def test_a_limit_of_zero_is_no_limit() -> None:
    wanted, allowed = effective_resources({"cpu": "4"}, {"cpu": "0"})

    assert wanted["cpu"] == "4"
    assert "cpu" not in allowed


def test_a_device_is_requested_and_limited_alike() -> None:
    wanted, allowed = effective_resources({}, {"nvidia.com/gpu": "1"})

    assert wanted["nvidia.com/gpu"] == allowed["nvidia.com/gpu"] == "1"


def test_devices_cannot_be_overcommitted() -> None:
    with pytest.raises(RequestError, match="must be equal"):
        effective_resources({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "2"})


quantities = st.sampled_from(["0", "1m", "50m", "0.5", "1", "3", "64Mi", "1Gi"])
amounts = st.dictionaries(st.sampled_from(["cpu", "memory", "example.com/dev"]), quantities)


@given(amounts, amounts)
def test_no_pod_is_promised_more_than_it_may_use(
    requests: dict[str, str], limits: dict[str, str]
) -> None:
    try:
        wanted, allowed = effective_resources(requests, limits)
    except RequestError:
        return
    for name, limit in allowed.items():
        assert parse_quantity(wanted.get(name, limit)) <= parse_quantity(limit)
