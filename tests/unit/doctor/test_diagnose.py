"""Many findings, few diagnoses: what is one cause, and which comes first."""

from __future__ import annotations

from builders import (
    deployment,
    event,
    node,
    pod,
    pod_spec,
    replica_set,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes

from kubectl_wasmai.doctor import examine

UNPULLED = 'Failed to pull image "example.test/model:1": no match for platform in manifest'
UNPACKED = "failed to extract layer: parent snapshot sha256:1a does not exist: not found"


def test_a_text_that_names_the_image_and_one_that_does_not_are_one_diagnosis() -> None:
    web = deployment()
    waits = pod(owner=web, ready=False, statuses=waiting("CreateContainerError", UNPACKED))

    report = examine(snapshot(web, waits, event(waits, "Failed", UNPULLED), runtime_class()))

    assert causes(report) == ["image-platform-mismatch"]
    assert len(report.diagnoses) == 1


def test_what_keeps_more_pods_from_running_comes_first_though_none_was_created() -> None:
    web = deployment(spec=pod_spec(runtime_class="wasm-misspelt"), replicas=4, current=0)
    chat = deployment("chat")
    crashed = pod("chat-5d9-x", owner=chat, ready=False, statuses=waiting("CrashLoopBackOff"))
    log = "[error] loading failed: magic header not detected, Code: 0x103\n"

    report = examine(
        snapshot(
            *(web, replica_set(web, current=0), chat, crashed, runtime_class()),
            logs={("chat-5d9-x", "main"): log},
        )
    )

    assert causes(report) == ["runtimeclass-missing", "wasm-module-invalid"]


def test_a_shim_that_fails_proves_that_its_handler_is_configured() -> None:
    """The kubelet tells the handlers of a containerd that was restarted only a while later."""
    web = deployment(spec=pod_spec(runtime_class="wasmedge"), annotations={})
    waits = pod(owner=web, ready=False, statuses=waiting("ContainerCreating"))
    text = "failed to start shim: start failed: : fork/exec /opt/rcm/bin/x: exec format error"

    report = examine(
        snapshot(
            *(web, waits, node("node1", "runc", "crun"), runtime_class("wasmedge", "wasmedge")),
            event(waits, "FailedCreatePodSandBox", text),
        )
    )

    assert causes(report) == ["shim-wrong-architecture"]
