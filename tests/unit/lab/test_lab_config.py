"""The configuration files the lab writes for a node."""

from __future__ import annotations

import json

import pytest
from wasmlab import node_config
from wasmlab.node_config import Node

FIRST = Node(1)
SECOND = Node(2, wasm=False)


@pytest.mark.parametrize("generation", [1, 2])
def test_only_a_node_for_webassembly_has_the_crun_runtime(generation: int) -> None:
    with_wasm = node_config.containerd_config(Node(1, generation))
    without = node_config.containerd_config(Node(2, generation, wasm=False))

    assert 'BinaryName = "/usr/bin/crun"' in with_wasm
    assert 'pod_annotations = ["module.wasm.image/*", "run.oci.handler"]' in with_wasm
    assert "crun" not in without
    assert "containerd.runtimes.runc" in without


@pytest.mark.parametrize("generation", [1, 2])
def test_the_containerd_configuration_is_toml_of_its_generation(generation: int) -> None:
    tomllib = pytest.importorskip("tomllib", reason="came with Python 3.11")

    config = tomllib.loads(node_config.containerd_config(Node(1, generation)))

    assert config["version"] == generation + 1
    runtime = {1: "io.containerd.grpc.v1.cri", 2: "io.containerd.cri.v1.runtime"}[generation]
    runtimes = config["plugins"][runtime]["containerd"]["runtimes"]
    assert set(runtimes) == {"runc", "crun"}


def test_two_nodes_share_no_address_bridge_or_pod_range() -> None:
    first, second = (json.loads(node_config.cni_config(node)) for node in (FIRST, SECOND))

    assert FIRST.address != SECOND.address
    assert first["plugins"][0]["bridge"] != second["plugins"][0]["bridge"]
    assert first["plugins"][0]["ipam"]["ranges"] != second["plugins"][0]["ipam"]["ranges"]


def test_the_kubelet_stays_in_the_control_group_of_its_lab_and_node() -> None:
    config = json.loads(node_config.kubelet_config(SECOND, "wasmlab-abc"))

    assert config["cgroupRoot"] == "/wasmlab-abc/node2"
    assert config["address"] == config["healthzBindAddress"] == SECOND.address


def test_the_kubelet_lets_nobody_in_without_a_certificate_or_token() -> None:
    config = json.loads(node_config.kubelet_config(FIRST, "wasmlab-abc"))

    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}


def test_plain_http_is_allowed_for_the_labs_registry_alone() -> None:
    assert node_config.registry_hosts().count("http://") == 2
    assert node_config.REGISTRY in node_config.registry_hosts()
    assert json.loads(node_config.registry_config())["http"]["addr"] == node_config.REGISTRY
