from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import deployment, event, node, pod, pod_spec, runtime_class, snapshot
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry
    from kubectl_wasmai.snapshot import ClusterSnapshot


def of(
    name: str = "node1", *, kubelet: str = "v1.34.4", runtime: str = "containerd://2.0.5"
) -> dict[str, Any]:
    each = node(name)
    each["status"]["nodeInfo"] = {"kubeletVersion": kubelet, "containerRuntimeVersion": runtime}
    return each


def seen(*objects: dict[str, Any], server: str = "v1.34.4") -> ClusterSnapshot:
    taken = snapshot(*objects)
    info = type(taken.info)(context="test", taken_at=taken.info.taken_at, server_version=server)
    return type(taken)(info, taken.source, taken.objects, taken.logs)


def answers(snapshot_: ClusterSnapshot, check: str) -> list[CheckEntry]:
    return [each for each in examine(snapshot_).checks if each.id == check]


@pytest.mark.parametrize("kubelet", ["v1.34.4", "v1.31.0", "v1.33.1+k3s1"])
def test_a_kubelet_may_be_up_to_three_minors_behind(kubelet: str) -> None:
    answer = result(examine(seen(of(kubelet=kubelet))), "kubernetes-versions-fit")

    assert (answer.status.value, kubelet in answer.reason) == ("PASS", True)


@pytest.mark.parametrize(
    ("kubelet", "says"),
    [("v1.30.9", "is 4 minor versions behind"), ("v1.35.0", "is newer than the API server 1.34")],
)
def test_a_kubelet_outside_the_supported_skew_is_named_with_its_node(
    kubelet: str, says: str
) -> None:
    answer = result(examine(seen(of("old", kubelet=kubelet))), "kubernetes-versions-fit")

    assert answer.status.value == "WARN"
    assert says in answer.reason
    assert "(old)" in answer.reason


@pytest.mark.parametrize("server", ["v1.29.0", "v1.38.0"])
def test_a_server_outside_the_tested_range_is_a_warning(server: str) -> None:
    first = answers(seen(of(kubelet=server), server=server), "kubernetes-versions-fit")[0]

    assert first.status.value == "WARN"
    assert "1.30 to 1.37" in first.reason


def test_without_the_server_s_version_nothing_is_said_of_skew() -> None:
    answer = result(examine(seen(of(), server="")), "kubernetes-versions-fit")

    assert (answer.status.value, answer.needs) == ("UNKNOWN", "kubectl version -o json")


@pytest.mark.parametrize(
    ("runtime", "kubelet", "says"),
    [
        ("docker://24.0.7", "v1.34.4", "Docker"),
        ("containerd://1.6.20", "v1.34.4", "before 1.7.7"),
        ("containerd://1.7.24", "v1.36.1", "up to Kubernetes 1.35"),
    ],
)
def test_pairs_that_are_known_to_fail_are_warned_of(runtime: str, kubelet: str, says: str) -> None:
    taken = seen(of(runtime=runtime, kubelet=kubelet))

    (answer,) = answers(taken, "container-runtimes-fit")
    assert answer.status.value == "WARN"
    assert says in answer.reason


@pytest.mark.parametrize("runtime", ["containerd://1.7.24", "containerd://2.1.9", "cri-o://1.33.0"])
def test_a_runtime_without_a_known_fault_passes(runtime: str) -> None:
    (answer,) = answers(seen(of(runtime=runtime)), "container-runtimes-fit")

    assert answer.status.value == "PASS"
    assert runtime.partition("://")[2] in answer.reason


def test_what_a_version_cannot_do_is_told_beside_its_pass() -> None:
    (new,) = answers(seen(of(runtime="containerd://2.1.9")), "container-runtimes-fit")
    (k3s,) = answers(
        seen(of(runtime="containerd://2.1.9-k3s1", kubelet="v1.34.1+k3s1")),
        "container-runtimes-fit",
    )

    assert "use_local_image_pull" in new.evidence[0].text
    assert k3s.evidence == ()


@pytest.mark.parametrize("runtime", ["", "containerd://Unknown"])
def test_a_node_that_tells_no_version_is_unknown(runtime: str) -> None:
    (answer,) = answers(seen(of(runtime=runtime)), "container-runtimes-fit")

    assert answer.status.value == "UNKNOWN"


def test_a_node_on_cgroup_v1_says_so_in_an_event() -> None:
    each = of()
    said = event(each, "CgroupV1", "cgroup v1 support is in maintenance mode")
    said["involvedObject"]["namespace"] = ""

    (answer,) = answers(seen(each, said), "container-runtimes-fit")
    assert answer.status.value == "WARN"
    assert answer.evidence[0].source == "event"


@pytest.mark.parametrize("place", ["labels", "annotations"])
def test_a_node_that_kwasm_has_set_up_is_told(place: str) -> None:
    each = of()
    each["metadata"][place] = {"kwasm.sh/kwasm-provisioned": "node1"}

    (answer,) = answers(seen(each), "container-runtimes-fit")
    assert "KWasm is retired" in answer.reason


def test_a_thousand_nodes_of_one_version_are_one_answer() -> None:
    old = [of(f"n{number}", runtime="docker://24.0.7") for number in range(1000)]

    (answer,) = answers(seen(*old), "container-runtimes-fit")
    assert "and 997 more" in answer.reason


MOUNTING = pod_spec(volumes=[{"name": "model", "image": {"reference": "model:1"}}])


@pytest.mark.parametrize(
    ("runtime", "kubelet", "status"),
    [
        ("containerd://2.1.0", "v1.35.0", "PASS"),
        ("cri-o://1.31.0", "v1.33.0", "PASS"),
        ("containerd://2.0.5", "v1.35.0", "WARN"),
        ("containerd://2.1.0", "v1.30.0", "WARN"),
        ("docker://24.0.7", "v1.35.0", "WARN"),
        ("", "", "UNKNOWN"),
    ],
)
def test_image_volumes_need_a_kubelet_and_a_runtime_that_know_them(
    runtime: str, kubelet: str, status: str
) -> None:
    web = deployment(spec=MOUNTING)
    taken = seen(web, pod(owner=web), runtime_class(), of(runtime=runtime, kubelet=kubelet))

    (answer,) = answers(taken, "image-volumes-supported")
    assert answer.status.value == status


def test_only_nodes_that_run_the_pods_count_for_image_volumes() -> None:
    web = deployment(spec=MOUNTING)
    old = of("node2", runtime="containerd://1.7.24")
    taken = seen(web, pod(owner=web), runtime_class(), of(runtime="containerd://2.1.0"), old)

    assert answers(taken, "image-volumes-supported")[0].status.value == "PASS"


def test_without_an_image_volume_the_question_is_skipped() -> None:
    web = deployment()

    answer = result(examine(seen(web, of(), runtime_class())), "image-volumes-supported")
    assert answer.status.value == "SKIP"
