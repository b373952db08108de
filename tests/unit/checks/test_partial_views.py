"""What can be told where somebody sees less: one namespace, no events, words without keys."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    container,
    deployment,
    event,
    node,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    waiting,
)
from examining import causes

from kubectl_wasmai.doctor import examine

ONE_NAMESPACE = ("RuntimeClass", "Node")


def claimed(*objects: dict[str, Any], **more: Any) -> list[str]:
    return causes(examine(snapshot(*objects, **more)))


def unplaced(owner: dict[str, Any], reasons: str, **spec: Any) -> dict[str, Any]:
    message = f"0/2 nodes are available: {reasons}. no new claims to deallocate, preemption: 0/2"
    scheduled = {"type": "PodScheduled", "status": "False", "message": message}
    made = pod(owner=owner, ready=False, node="", statuses=[], conditions=[scheduled])
    made["spec"] |= spec
    return made


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_the_status_alone_tells_of_an_image_that_cannot_be_pulled(reason: str) -> None:
    web = deployment()
    refused = [{**waiting(reason, "no such host")[0], "image": "registry.example/web:1"}]
    waits = pod(owner=web, ready=False, statuses=refused)

    assert claimed(web, waits, runtime_class()) == ["image-pull-failed"]


def test_a_taint_without_its_key_is_still_a_taint() -> None:
    web = deployment()
    waits = unplaced(web, "2 node(s) had untolerated taint(s)")

    assert claimed(web, waits, without=ONE_NAMESPACE) == ["untolerated-taint"]


def test_a_cordoned_node_may_be_the_one_that_the_selector_wants() -> None:
    web = deployment(spec=pod_spec(nodeSelector={"pool": "wasm"}))
    reasons = "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable"

    assert claimed(web, unplaced(web, reasons), without=ONE_NAMESPACE) == []


def test_a_selector_that_the_template_does_not_have_is_the_class_s() -> None:
    web = deployment()
    reasons = "2 node(s) didn't match Pod's node affinity/selector"
    waits = unplaced(web, reasons, nodeSelector={"wasm": "ready"})

    assert claimed(web, waits, without=ONE_NAMESPACE) == ["runtimeclass-no-matching-node"]


FORMAT = "exec container process `/hello.wasm`: Exec format error\n"


def test_a_misplaced_annotation_is_seen_without_the_class() -> None:
    variant = {"module.wasm.image/variant": "compat-smart"}
    web = deployment(annotations={}, own_annotations=variant)
    crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))

    found = claimed(web, crashed, without=ONE_NAMESPACE, logs={("web-5d9-x", "main"): FORMAT})

    assert found == ["wasm-annotation-misplaced"]


def test_an_exec_probe_is_seen_without_the_class() -> None:
    probe = {"exec": {"command": ["true"]}}
    web = deployment(spec=pod_spec(container(livenessProbe=probe)))

    assert claimed(web, pod(owner=web), without=ONE_NAMESPACE) == ["exec-probe-unsupported"]


def test_pods_alone_tell_which_node_lacks_the_handler() -> None:
    web = deployment()
    serving = pod("web-5d9-a", owner=web)
    refused = pod("web-5d9-b", owner=web, node="node2", ready=False, statuses=[])
    text = 'unable to get OCI runtime for sandbox "0c1f": no runtime for "crun" is configured'

    report = examine(
        snapshot(
            *(web, serving, refused, event(refused, "FailedCreatePodSandBox", text)),
            without=ONE_NAMESPACE,
        )
    )

    assert [str(each.subject) for each in report.diagnoses] == ["Node node2"]
    assert causes(report) == ["handler-missing-on-some-nodes"]
    assert "handler crun" in report.diagnoses[0].remedy.summary


BY_JSON_C = '  "msg": "exec container process `\\/hello.wasm`: Exec format error",\n'
BY_YAJL = '{"msg":"exec container process `/hello.wasm`: Exec format error","level":"error"}\n'


@pytest.mark.parametrize(
    ("system", "log", "cause"),
    [
        ("Debian GNU/Linux forky/sid", BY_JSON_C, "runtime-lacks-wasm-support"),
        ("Debian GNU/Linux 13 (trixie)", BY_YAJL, "wasm-annotation-not-passed"),
        ("Fedora Linux 44", BY_JSON_C, "wasm-annotation-not-passed"),
    ],
)
def test_the_form_of_cruns_words_tells_its_generation(system: str, log: str, cause: str) -> None:
    web = deployment()
    crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))
    of_system = node()
    of_system["status"]["nodeInfo"] = {"osImage": system}

    found = claimed(*(web, crashed, of_system, runtime_class()), logs={("web-5d9-x", "main"): log})

    assert found == [cause]
