"""The main job on the real node: deployed, checked, broken in six ways, diagnosed each time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faults import FAULTS, Fault, runtime_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasmlab.client import Lab

pytestmark = pytest.mark.e2e

Run = subprocess.CompletedProcess[str]
PLUGIN = Path(sys.executable).with_name("kubectl-wasmai")
IMAGE = "localhost/wasmai-lab/hello:1"


@pytest.fixture(scope="module")
def wasmai(lab: Lab) -> Callable[..., Run]:
    """Runs the installed plugin against the lab, as a person would."""

    def run(*arguments: str, check: bool = True) -> Run:
        environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
        done = subprocess.run(
            [str(PLUGIN), *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def namespace(
    lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A namespace of the test's own, and a RuntimeClass ``wasm`` in the cluster."""
    name = f"doctor-{abs(hash(request.node.name)) % 100_000}"
    lab.kubectl("create", "namespace", name)
    apply(lab, tmp_path_factory.mktemp("class"), runtime_class("wasm", "crun"))
    yield name
    lab.kubectl("delete", "namespace", name, "--wait=false")


def apply(lab: Lab, folder: Path, manifest: dict[str, Any]) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    lab.kubectl("apply", "-f", str(path))


def diagnosed(wasmai: Callable[..., Run], *arguments: str) -> dict[str, Any]:
    done = wasmai("doctor", *arguments, "-o", "json", check=False)
    assert done.returncode in (0, 3), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 3) == (report["summary"]["fail"] > 0)
    return report


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the lab did not get there in time"
        time.sleep(1)


def certain_causes(report: dict[str, Any]) -> list[str]:
    return [each["cause"] for each in report["diagnoses"] if each["certainty"] != "possible"]


def test_a_deployed_wasm_pod_answers_http_and_is_found_healthy(
    lab: Lab, wasmai: Callable[..., Run], namespace: str
) -> None:
    wasmai("deploy", "web", "--image", IMAGE, "--class", "wasm", "-n", namespace)
    address = lab.kubectl(
        "get", "service", "web", "-n", namespace, "-o", "jsonpath={.spec.clusterIP}"
    ).stdout
    # kube-proxy learns of the endpoint a moment after the pod is Ready.
    patient = ("--max-time", "5", "--retry", "10", "--retry-connrefused", "--retry-delay", "1")
    answer = lab.run("curl", "-sS", "-f", *patient, f"http://{address}:8080/health")
    assert json.loads(answer.stdout)

    report = diagnosed(wasmai, "-n", namespace)

    assert report["diagnoses"] == []
    # No metrics server in the lab: a warning that it lacks one, and nothing that fails.
    assert report["summary"]["verdict"] in ("healthy", "degraded")
    assert {c["id"] for c in report["checks"] if c["status"] == "PASS"} >= {
        "runtimeclass-exists",
        "runtime-handler-available",
        "pod-running",
        "resource-limits-set",
        "model-loaded",
    }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.cause)
def test_each_fault_is_diagnosed_live_and_from_the_saved_snapshot(
    lab: Lab, wasmai: Callable[..., Run], namespace: str, fault: Fault, tmp_path: Path
) -> None:
    wasmai("deploy", "web", "--image", IMAGE, "--class", "wasm", "-n", namespace)
    if fault.manifest:
        apply(lab, tmp_path, fault.manifest)
    lab.kubectl("patch", "deployment", "web", "-n", namespace, "-p", fault.patch)

    until(lambda: certain_causes(diagnosed(wasmai, "-n", namespace)) == [fault.cause])

    saved = tmp_path / f"{fault.cause}.tar.gz"
    live = diagnosed(wasmai, "-n", namespace, "--save-snapshot", str(saved))
    replayed = diagnosed(wasmai, "--from", str(saved))
    assert certain_causes(live) == [fault.cause]
    first = live["diagnoses"][0]
    assert first["subject"] == {"kind": "Deployment", "namespace": namespace, "name": "web"}
    assert first["evidence"]
    assert first["remedy"]["commands"]
    assert live["cluster"].pop("source") == "live"
    assert replayed["cluster"].pop("source") == "file"
    assert replayed == live
    if record := os.environ.get("WASMAI_RECORD"):
        shutil.copy(saved, record)


def test_deploy_that_does_not_become_ready_prints_the_diagnosis(
    wasmai: Callable[..., Run], namespace: str
) -> None:
    done = wasmai(
        "deploy", "web", "--image", "localhost/wasmai-lab/garbage:1", "--class", "wasm",
        "-n", namespace, "--timeout", "60s", check=False,
    )  # fmt: skip

    assert done.returncode == 3
    assert "wasm-module-invalid" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
