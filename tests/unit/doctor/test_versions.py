from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.doctor.versions import is_k3s, parse, runtime
from kubectl_wasmai.snapshot.objects import Node


def node(version: str) -> Node:
    return msgspec.convert({"status": {"nodeInfo": {"containerRuntimeVersion": version}}}, Node)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v1.34.4", (1, 34, 4)),
        ("v1.33.1+k3s1", (1, 33, 1)),
        ("v1.30.0-gke.1234", (1, 30, 0)),
        ("2.1", (2, 1, 0)),
    ],
)
def test_a_version_is_its_numbers(text: str, numbers: tuple[int, int, int]) -> None:
    assert parse(text) == numbers


@pytest.mark.parametrize("text", ["", None, "unknown", "Unknown", "v1", "x1.2"])
def test_what_is_no_version_is_none(text: str | None) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("containerd://2.1.9-k3s1.33", "containerd", (2, 1, 9)),
        ("cri-o://1.30.1", "cri-o", (1, 30, 1)),
        ("docker://24.0.7", "docker", (24, 0, 7)),
        ("containerd://Unknown", "containerd", None),
    ],
)
def test_a_node_tells_its_container_runtime(
    text: str, name: str, version: tuple[int, int, int] | None
) -> None:
    assert runtime(node(text)) == (name, version)


@pytest.mark.parametrize("text", ["", "containerd", "://1.2"])
def test_a_node_may_not_tell_it(text: str) -> None:
    assert runtime(node(text)) is None


def test_k3s_and_rke2_are_known_by_their_versions() -> None:
    assert is_k3s("v1.33.1+k3s1")
    assert is_k3s("v1.33.1+rke2r1")
    assert not is_k3s("v1.33.1")
    assert not is_k3s(None)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    parse(text)
    runtime(node(text))
