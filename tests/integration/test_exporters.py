"""Metrics of GPUs through a real API server's proxy."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from gpu_metrics import exported

from kubectl_wasmai.cluster import ConnectionOptions, connect
from kubectl_wasmai.rbac import Holder, roles
from kubectl_wasmai.snapshot import MetricsKey, collect, exporters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster
    from kubectl_wasmai.snapshot import ClusterSnapshot

pytestmark = pytest.mark.integration

Json = dict[str, Any]
_users = itertools.count(1)


class Exporter(ThreadingHTTPServer):
    """Stands for dcgm-exporter. The API server never proxies to a loopback address."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        self.body, self.status = exported(), 200
        super().__init__((address, 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        body = server.body.encode()
        self.send_response(server.status if self.path == "/metrics" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    address = own_address()
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback, and the API server refuses that")
    server = Exporter(address)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pod(cluster: Cluster, namespace: str, exporter: Exporter) -> str:
    """An exporter's pod that runs where our server listens; its controller made it."""
    address, port = exporter.server_address[:2]
    labels = {"app": "nvidia-dcgm-exporter"}
    container = {
        "name": "exporter",
        "image": "dcgm-exporter:1",
        "ports": [{"name": "metrics", "containerPort": port}],
    }
    template: Json = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    owner = cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "nvidia-dcgm-exporter", "namespace": namespace},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }
    ).object
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    cluster.apply({**account, "metadata": {"name": "default", "namespace": namespace}})
    reference = {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": True,
    }  # fmt: skip
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "exporter-1", "namespace": namespace, "ownerReferences": [reference],
            "labels": labels,
        },
        "spec": {**template["spec"], "nodeName": "node1"},
    }  # fmt: skip
    cluster.apply(made)
    path = f"/api/v1/namespaces/{namespace}/pods/exporter-1/status"
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    body = json.dumps({"status": status}).encode()
    cluster.request("PATCH", path, body=body, content_type="application/merge-patch+json")
    return "exporter-1"


def seen(cluster: Cluster, namespace: str) -> ClusterSnapshot:
    return collect(cluster, namespace=namespace)


def unreadable(snapshot: ClusterSnapshot) -> list[str]:
    return [each.reason for each in snapshot.info.collection.unreadable]


def test_an_exporter_is_read_through_the_api_server(
    cluster: Cluster, namespace: str, pod: str, exporter: Exporter
) -> None:
    snapshot = seen(cluster, namespace)

    assert snapshot.metrics == {MetricsKey(namespace, pod): exporter.body}
    assert unreadable(snapshot) == []


def test_a_long_answer_ends_with_a_whole_line(
    cluster: Cluster, namespace: str, pod: str, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporters, "MAX_BYTES", 300)

    text = seen(cluster, namespace).metrics[MetricsKey(namespace, pod)]

    assert text.endswith("\n")
    assert len(text) <= 300
    assert exporter.body.startswith(text)


@pytest.mark.parametrize("status", [401, 403, 500])
@pytest.mark.usefixtures("pod")
def test_an_exporter_that_refuses_is_named_and_nothing_else_is_lost(
    cluster: Cluster, namespace: str, exporter: Exporter, status: int
) -> None:
    exporter.status, exporter.body = status, "no"

    snapshot = seen(cluster, namespace)

    assert snapshot.metrics == {}
    assert snapshot.has("Pod")
    assert snapshot.info.collection.denied == ()
    assert any(str(status) in reason for reason in unreadable(snapshot))


@pytest.mark.usefixtures("pod")
def test_an_exporter_that_does_not_listen_is_named(
    cluster: Cluster, namespace: str, exporter: Exporter
) -> None:
    exporter.shutdown()
    exporter.server_close()

    snapshot = seen(cluster, namespace)

    assert snapshot.metrics == {}
    assert any("refused" in reason for reason in unreadable(snapshot))


@pytest.mark.parametrize("may", [True, False])
def test_the_right_to_the_proxy_is_in_the_role_and_its_lack_is_named(
    control_plane: ControlPlane, cluster: Cluster, namespace: str, pod: str, may: bool
) -> None:
    user = f"metrics-user-{next(_users)}"
    documents = roles("doctor", namespace, [Holder("User", user)])
    for document in documents:
        document["metadata"]["name"] = f"{user}-{document['metadata']['name']}"
        if "roleRef" in document:
            document["roleRef"]["name"] = f"{user}-{document['roleRef']['name']}"
        for rule in document.get("rules", ()):
            if not may:
                rule["resources"] = [n for n in rule["resources"] if n != "pods/proxy"]
        if "rules" in document:
            document["rules"] = [rule for rule in document["rules"] if rule["resources"]]
        space = document["metadata"].get("namespace")
        middle = f"/namespaces/{space}" if space else ""
        root = "/apis/rbac.authorization.k8s.io/v1"
        cluster.request("POST", f"{root}{middle}/{document['kind'].lower()}s", body=document)
    options = ConnectionOptions(kubeconfig=str(control_plane.kubeconfig(user, ())))

    with connect(options) as limited:
        snapshot = collect(limited, namespace=namespace)

    denied = [(d.verb, d.resource, d.namespace) for d in snapshot.info.collection.denied]
    assert denied == ([] if may else [("get", "pods/proxy", namespace)])
    assert (MetricsKey(namespace, pod) in snapshot.metrics) is may
