"""Deploying on the real node: Ready, reachable, unchanged, updated, diagnosed, gone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasmlab.client import Lab

pytestmark = pytest.mark.e2e

Run = subprocess.CompletedProcess[str]
Wasmai = Callable[..., Run]

RUN_MAIN = "from kubectl_wasmai.cli.main import main; main()"
HELLO = "localhost/wasmai-lab/hello:1"
CLASS = f"deploy-test-{os.getpid()}"
CLASS_MANIFEST = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": CLASS},
    "handler": "crun",
}


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", RUN_MAIN, *words]


def environment(lab: Lab) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "KUBECONFIG": str(lab.kubeconfig), "PYTHONPATH": root}


@pytest.fixture(scope="module")
def namespace(lab: Lab) -> Iterator[str]:
    """One for the module, with the strictest admission that Kubernetes knows."""
    name = f"deploy-{os.getpid()}"
    lab.kubectl("create", "namespace", name)
    lab.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(CLASS_MANIFEST))
    yield name
    lab.kubectl("delete", "namespace", name, "--wait=false")
    lab.kubectl("delete", "runtimeclass", CLASS)


@pytest.fixture
def wasmai(lab: Lab, namespace: str) -> Wasmai:
    def call(*words: str) -> Run:
        return subprocess.run(
            command(words[0], "-n", namespace, *words[1:]),
            env=environment(lab),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return call


def deploy(wasmai: Wasmai, name: str, *more: str, image: str = HELLO) -> Run:
    return wasmai("deploy", name, "--image", image, "--class", CLASS, *more)


def read(lab: Lab, namespace: str, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        lab.kubectl("get", "-n", namespace, "-o", "json", *what).stdout
    )
    return found


def ask(lab: Lab, namespace: str, service: str, port: int) -> Any:
    """What the module answers through its Service; kube-proxy learns of a ready pod a bit later."""
    address = read(lab, namespace, f"service/{service}")["spec"]["clusterIP"]
    patience = ("--retry", "10", "--retry-delay", "1", "--retry-connrefused")
    url = f"http://{address}:{port}/health"
    return json.loads(lab.run("curl", "-sS", "-m", "5", *patience, url).stdout)


def test_a_deployment_from_first_to_last(lab: Lab, namespace: str, wasmai: Wasmai) -> None:
    """Under Pod Security ``restricted``: made, answering, unchanged, updated, deleted."""
    first = deploy(wasmai, "web")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("deployment.apps/web created\nservice/web created\nweb is ready")
    total = re.search(r"^total +(\d+\.\d{3})$", first.stdout, re.MULTILINE)
    assert total, first.stdout
    assert 0.1 < float(total[1]) < 60

    assert ask(lab, namespace, "web", 8080)["status"] == "ok"

    generation = read(lab, namespace, "deployment/web")["metadata"]["generation"]
    again = deploy(wasmai, "web")
    assert again.stdout.startswith("deployment.apps/web unchanged\nservice/web unchanged\n")
    assert "Start-up" not in again.stdout
    assert read(lab, namespace, "deployment/web")["metadata"]["generation"] == generation

    changed = deploy(wasmai, "web", "--env", "A=1", "--replicas", "2")
    assert changed.stdout.startswith("deployment.apps/web configured\nservice/web unchanged\n")
    assert "Start-up of 2 pods" in changed.stdout, changed.stdout
    assert "2/2" in wasmai("list").stdout
    status = wasmai("status", "web")
    assert status.returncode == 0
    assert len(re.findall(r"^web-\S+ +ready ", status.stdout, re.MULTILINE)) == 2
    assert "listening on" in wasmai("logs", "web").stdout

    gone = wasmai("delete", "web")
    assert gone.stdout == 'service "web" deleted\ndeployment.apps "web" deleted\n'
    for kind in ("deployments", "services", "replicasets", "pods"):
        left = read(lab, namespace, kind, "-l", "app.kubernetes.io/instance=web")
        assert left["items"] == [], kind


def test_a_port_below_1024_needs_no_root(lab: Lab, namespace: str, wasmai: Wasmai) -> None:
    done = deploy(wasmai, "low", "--port", "80")
    assert done.returncode == 0, done.stderr
    assert ask(lab, namespace, "low", 80)["status"] == "ok"
    wasmai("delete", "low", "--wait=false")


@pytest.mark.parametrize(
    ("name", "image", "more", "told"),
    [
        (
            "absent",
            "localhost/absent:1",
            ("--image-pull-policy", "Never"),
            ["will not become ready", "ErrImageNeverPull", "ROOT CAUSE  image-not-present"],
        ),
        (
            "broken",
            "localhost/wasmai-lab/truncated:1",
            (),
            ["will not become ready", "crashing (2 restarts)", "wasm-module-invalid"],
        ),
        (
            "big",
            HELLO,
            ("--requests", "cpu=1000", "--timeout", "4s"),
            ["was not ready after", "waiting for a node", "Insufficient cpu"],
        ),
        (
            "refused",
            HELLO,
            ("--run-as-user", "0"),
            ["will not become ready", "no pod could be created", "violates PodSecurity"],
        ),
    ],
)
def test_what_cannot_become_ready_is_diagnosed(
    wasmai: Wasmai, name: str, image: str, more: tuple[str, ...], told: list[str]
) -> None:
    started = time.monotonic()
    done = deploy(wasmai, name, *more, image=image)
    assert done.returncode == 3
    assert [text for text in told if text not in done.stderr] == []
    assert time.monotonic() - started < 60  # long before the 2 minutes are over
    assert wasmai("status", name).returncode == 3
    wasmai("delete", name, "--wait=false")


def test_ctrl_c_leaves_what_was_applied_and_says_how_to_delete_it(
    lab: Lab, namespace: str, wasmai: Wasmai
) -> None:
    words = ("--image", HELLO, "--class", CLASS, "--requests", "cpu=1000", "-n", namespace)
    with subprocess.Popen(
        command("deploy", "stopped", *words),
        env=environment(lab),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "deployment.apps/stopped created\n"
        assert running.stdout.readline() == "service/stopped created\n"
        time.sleep(1)  # into the wait
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)

    assert running.returncode == 130
    assert f"kubectl wasmai delete stopped -n {namespace}" in err
    assert read(lab, namespace, "deployment/stopped")
    wasmai("delete", "stopped", "--wait=false")
