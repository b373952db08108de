from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from deploy_builders import request

from kubectl_wasmai.deploy.manifests import build, wants_annotation
from kubectl_wasmai.deploy.output import render

if TYPE_CHECKING:
    from kubectl_wasmai.deploy.request import DeployRequest

GOLDEN = Path(__file__).parent / "golden"
VARIANT = "module.wasm.image/variant"

CASES = {
    "plain": (request(), "crun"),
    "shim": (request(), "wasmedge"),
    "everything": (
        request(
            namespace="models",
            replicas=3,
            port=80,
            health_path="/ready?full=1",
            requests={"cpu": "500m", "nvidia.com/gpu": "1"},
            limits={"memory": "1Gi"},
            env={"MODEL": "mnist", "BUILD": "12e5", "ANSWER": "y"},
            args=("--verbose", "1"),
            image_pull_policy="Always",
            annotations={"prometheus.io/scrape": "true"},
            labels={"team": "vision"},
            run_as_user=1000,
        ),
        None,
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_manifests_are_exactly_these(case: str) -> None:
    """WASMAI_UPDATE_GOLDEN=1 writes them anew; read the difference before you keep it."""
    rendered = render(build(*CASES[case]), "yaml") + "\n"
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("WASMAI_UPDATE_GOLDEN"):
        path.write_text(rendered, "utf-8")

    assert rendered == path.read_text("utf-8")


def test_yaml_reads_back_as_what_was_built() -> None:
    manifests = build(*CASES["everything"])

    assert list(yaml.safe_load_all(render(manifests, "yaml"))) == manifests


@pytest.mark.parametrize(
    ("handler", "wanted"),
    [
        ("crun", True),
        (None, True),
        ("my-own-runtime", True),
        ("crun-wasm", False),
        ("wasmedge", False),
        ("spin-v2", False),
    ],
)
def test_the_annotation_is_left_out_only_where_it_is_surely_not_needed(
    handler: str | None, wanted: bool
) -> None:
    assert wants_annotation(handler) is wanted


def test_the_users_own_variant_stands() -> None:
    annotations = template(request(annotations={VARIANT: "compat"}))["metadata"]["annotations"]

    assert annotations == {VARIANT: "compat"}


def test_without_annotations_there_is_no_empty_field_to_own() -> None:
    deployment, _ = build(request(), "wasmedge")

    assert "annotations" not in deployment["spec"]["template"]["metadata"]


def test_the_selector_depends_on_the_name_alone() -> None:
    one, _ = build(request(), "crun")
    other, _ = build(CASES["everything"][0], None)

    assert one["spec"]["selector"] == other["spec"]["selector"]


@pytest.mark.parametrize("case", sorted(CASES))
def test_selectors_match_the_pods(case: str) -> None:
    deployment, service = build(*CASES[case])
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("case", sorted(CASES))
def test_no_probe_or_hook_execs_in_the_container(case: str) -> None:
    assert "exec" not in render(build(*CASES[case]), "yaml")


def test_root_is_possible_but_must_be_said() -> None:
    assert template(request())["spec"]["securityContext"]["runAsNonRoot"] is True
    assert template(request(run_as_user=0))["spec"]["securityContext"]["runAsNonRoot"] is False


def test_only_a_low_port_needs_the_sysctl() -> None:
    assert "sysctls" not in template(request(port=1024))["spec"]["securityContext"]
    assert template(request(port=1023))["spec"]["securityContext"]["sysctls"] == [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "1023"}
    ]


def template(asked: DeployRequest) -> dict[str, Any]:
    found: dict[str, Any] = build(asked, "crun")[0]["spec"]["template"]
    return found
