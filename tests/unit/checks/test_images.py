from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import container, deployment, event, pod, pod_spec, runtime_class, snapshot, waiting
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry


def answer(check: str, *objects: dict[str, Any]) -> CheckEntry:
    return result(examine(snapshot(*objects, runtime_class())), check)


def fetched(digest: str, image: str = "example.test/model:1") -> list[dict[str, Any]]:
    state: dict[str, Any] = {"running": {}}
    return [{"name": "main", "ready": True, "state": state, "image": image, "imageID": digest}]


def test_a_container_that_has_its_image_passes() -> None:
    web = deployment()

    told = answer("images-available", web, pod(owner=web, statuses=fetched("sha256:1")))
    assert (told.status.value, told.evidence[0].text) == ("PASS", "sha256:1")


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"]
)
def test_a_container_that_waits_for_its_image_fails(reason: str) -> None:
    web = deployment()
    waits = pod(owner=web, ready=False, statuses=waiting(reason, "not found"))

    told = answer("images-available", web, waits)
    assert told.status.value == "FAIL"
    assert told.evidence[0].text == f"{reason}: not found"


def test_before_a_pod_is_on_a_node_nobody_has_asked_the_registry() -> None:
    web = deployment()

    assert answer("images-available", web).status.value == "UNKNOWN"


@pytest.mark.parametrize("image", ["wasmedge/llama2:latest", "docker.io/wasmedge/llama2"])
def test_an_image_that_articles_invented_is_told_before_it_is_pulled(image: str) -> None:
    web = deployment(spec=pod_spec(container(image=image)))

    told = answer("images-available", web)
    assert told.status.value == "WARN"
    assert "no image" in told.reason


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("example.test/model", "WARN"),
        ("example.test:5000/model", "WARN"),
        ("example.test/model:latest", "WARN"),
        ("example.test:5000/model:1.4", "PASS"),
        ("example.test/model@sha256:abc", "PASS"),
    ],
)
def test_an_image_is_to_name_one_version(image: str, status: str) -> None:
    web = deployment(spec=pod_spec(container(image=image)))

    assert answer("images-pinned", web).status.value == status


def test_two_pods_with_other_bytes_under_one_tag_are_told() -> None:
    web = deployment(replicas=2)
    one = pod("web-1", owner=web, statuses=fetched("sha256:1"))
    other = pod("web-2", owner=web, statuses=fetched("sha256:2"))

    told = answer("images-pinned", web, one, other)
    assert told.status.value == "WARN"
    assert [each.text[-1] for each in told.evidence] == ["2", "1"]


def test_a_rollout_from_one_tag_to_another_is_no_drift() -> None:
    web = deployment(replicas=2)
    one = pod("web-1", owner=web, statuses=fetched("sha256:1"))
    other = pod("web-2", owner=web, statuses=fetched("sha256:2", "example.test/model:2"))

    assert answer("images-pinned", web, one, other).status.value == "PASS"


def test_a_policy_that_answers_on_several_lines_has_refused_the_image() -> None:
    """Kyverno 1.12 names the webhook first, its rules and reasons on lines of their own."""
    web = deployment()
    said = """\
create Pod web-0 in StatefulSet web failed error: admission webhook "mutate.kyverno.svc-fail" \
denied the request:

resource Pod/secure/ was blocked due to the following policies

verify-images:
  check: 'failed to verify image example.test/web:1: .attestors[0].entries[0].keys: no signatures'
"""
    refused = event(web, "FailedCreate", said)

    report = examine(snapshot(web, refused, runtime_class()))

    assert [each.cause for each in report.diagnoses] == ["image-digest-unverified"]
