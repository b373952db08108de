"""The lab itself: it comes up, runs WebAssembly, and goes without a trace."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from wasmlab.oci import Image, write_image
from wasmlab.paths import instance_name, node_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasmlab.client import Lab

pytestmark = pytest.mark.e2e

HELLO = """
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: lab-test}
handler: crun
---
apiVersion: v1
kind: Namespace
metadata: {name: lab-test}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello, namespace: lab-test}
spec:
  replicas: 2
  selector: {matchLabels: {app: hello}}
  template:
    metadata:
      labels: {app: hello}
      annotations: {module.wasm.image/variant: compat-smart}
    spec:
      runtimeClassName: lab-test
      terminationGracePeriodSeconds: 0
      containers:
        - name: hello
          image: IMAGE
          env: [{name: PORT, value: "9000"}]
          readinessProbe: {httpGet: {path: /health, port: 9000}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: hello, namespace: lab-test}
spec:
  selector: {app: hello}
  ports: [{port: 80, targetPort: 9000}]
"""


def hello(image: str = "localhost/wasmai-lab/hello:1") -> str:
    return HELLO.replace("IMAGE", image)


@pytest.fixture
def cleaned(lab: Lab) -> Iterator[Lab]:
    """The usual lab, without this file's objects afterwards."""
    yield lab
    lab.kubectl("delete", "runtimeclass/lab-test", "namespace/lab-test", "--ignore-not-found")


@pytest.fixture(scope="module")
def other_lab(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A second lab beside the usual one: two nodes, containerd 2, a registry."""
    other = lab.beside(tmp_path_factory.mktemp("lab") / "state")
    other.command("up", "--nodes", "2", "--containerd", "2", "--registry")
    yield other
    other.command("down")


def test_up_is_idempotent(lab: Lab) -> None:
    again = lab.command("up")

    assert "already up" in again.stderr
    assert "ENDED" not in lab.command("status").stdout


def test_a_webassembly_pod_answers_through_a_service(cleaned: Lab) -> None:
    cleaned.kubectl("apply", "-f", "-", stdin=hello())
    roll_out(cleaned)

    assert "listening on 0.0.0.0:9000" in in_test(cleaned, "logs", "deployment/hello")
    address = in_test(cleaned, "get", "service/hello", "-o", "jsonpath={.spec.clusterIP}")
    # kube-proxy follows the rollout, it does not wait for it.
    retry = ["--retry", "10", "--retry-connrefused", "--retry-delay", "1"]
    url = f"http://{address}/health"
    answer = cleaned.run("curl", "--silent", "--fail", *retry, url).stdout
    assert json.loads(answer)["status"] == "ok"


def test_a_program_on_the_node_sees_the_nodes_files(lab: Lab) -> None:
    version = lab.command("run", "--node", "--", "crun", "--version").stdout

    assert "+WASM:wasmedge" in version


def test_containerd_2_tells_the_handlers_of_each_node(other_lab: Lab) -> None:
    nodes = json.loads(other_lab.kubectl("get", "nodes", "-o", "json").stdout)["items"]

    handlers = {
        node["metadata"]["name"]: {handler["name"] for handler in node["status"]["runtimeHandlers"]}
        for node in nodes
    }
    assert handlers == {"node1": {"", "runc", "crun"}, "node2": {"", "runc"}}


def test_an_image_is_pulled_from_the_registry(other_lab: Lab, tmp_path: Path) -> None:
    files = {"/busybox": (node_root() / "bin/busybox").read_bytes()}
    image = Image("localhost/pulled:1", files, ["/busybox", "true"])
    tar = write_image(image, tmp_path / "image.tar")
    name = other_lab.command("push", str(tar), "team/pulled:1").stdout.strip()

    other_lab.kubectl("run", "pulled", "--restart=Never", f"--image={name}")
    wait_for_phase(other_lab, "pulled", "Succeeded")
    events = other_lab.kubectl("get", "events", "-o", "jsonpath={.items[*].message}").stdout
    assert f'Successfully pulled image "{name}"' in events


def test_a_node_without_the_handler_refuses_webassembly_pods(other_lab: Lab) -> None:
    manifest = (
        hello()
        .replace("replicas: 2", "replicas: 1")
        .replace("runtimeClassName", "nodeName: node2\n      runtimeClassName")
    )
    other_lab.kubectl("apply", "-f", "-", stdin=manifest)

    wait_until(lambda: 'no runtime for "crun" is configured' in events_of(other_lab))


def test_loading_reaches_every_node(other_lab: Lab, tmp_path: Path) -> None:
    tar = write_image(Image("localhost/loaded:1", {"/x": b"x"}, ["/x"]), tmp_path / "image.tar")

    assert other_lab.command("load", str(tar)).stdout == "localhost/loaded:1\n"
    for node in ("node1", "node2"):
        images = other_lab.command(
            "run", "--node", node, "--", "ctr", "-n", "k8s.io", "images", "ls", "-q"
        )
        assert "localhost/loaded:1" in images.stdout


def test_down_leaves_nothing_behind(lab: Lab, tmp_path: Path) -> None:
    state = tmp_path / "state"
    third = lab.beside(state)
    before = traces(state)

    third.command("up")
    during = traces(state)
    third.command("down")

    assert during != before
    assert traces(state) == before
    assert not state.exists()
    assert "nothing to do" in third.command("down").stderr


def traces(state: Path) -> dict[str, list[str]]:
    """Mounts, interfaces, control groups and processes of a lab, as the host sees them."""
    processes = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = command.read_text().split("\0")
            if any(str(state) in word for word in words):
                processes.append(" ".join(words))
    return {
        "mounts": sorted(line for line in Path("/proc/mounts").read_text().splitlines()
                         if str(state) in line or "wasmlab" in line),
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "groups": sorted(str(path) for path in Path("/sys/fs/cgroup").rglob(instance_name(state))),
        "processes": sorted(processes),
    }  # fmt: skip


def in_test(lab: Lab, *words: str) -> str:
    return lab.kubectl("-n", "lab-test", *words).stdout


def roll_out(lab: Lab) -> None:
    in_test(lab, "rollout", "status", "deployment/hello", "--timeout=60s")


def events_of(lab: Lab) -> str:
    return in_test(lab, "get", "events", "-o", "jsonpath={.items[*].message}")


def wait_for_phase(lab: Lab, pod: str, phase: str) -> None:
    lab.kubectl("wait", f"pod/{pod}", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=60s")


def wait_until(probe: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.5)
