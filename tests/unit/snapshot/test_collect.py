"""What a server does not have is absent; what it does not let us read is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import deployment, pod
from scripted_api import Answer, Asked, ScriptedApi

from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect
from kubectl_wasmai.resources import DEVICE_CLASS, POD_METRICS, Resource
from kubectl_wasmai.snapshot import MetricsKey, collect, load
from kubectl_wasmai.snapshot.collect import collect_whole
from kubectl_wasmai.snapshot.save import members, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOT_FOUND = Answer({"kind": "Status", "code": 404, "reason": "NotFound"}, 404)


def forbidden(resource: Resource) -> Answer:
    message = (
        f'{resource.plural} is forbidden: User "u" cannot list resource "{resource.plural}" in '
        f'API group "{resource.group}" at the cluster scope'
    )
    return Answer({"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}, 403)


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    import threading

    server = ScriptedApi()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def cluster(api: ScriptedApi, tmp_path: Path) -> Iterator[Cluster]:
    options = ConnectionOptions(server=api.url)
    with connect(options, environ={"HOME": str(tmp_path)}, service_account=tmp_path) as connected:
        yield connected


def serving(*special: tuple[str, Answer]) -> Callable[[Asked], Answer]:
    """Empty lists of everything, but for the paths that begin with these."""

    def script(asked: Asked) -> Answer:
        if asked.path == "/version":
            return Answer({"gitVersion": "v1.34.1"})
        found = (answer for start, answer in special if asked.path.startswith(start))
        return next(found, Answer({"metadata": {}, "items": []}))

    return script


def a_class(name: str) -> Answer:
    return Answer({"metadata": {}, "items": [{"metadata": {"name": name}, "spec": {}}]})


@pytest.mark.parametrize("version", ["v1", "v1beta2", "v1beta1"])
def test_the_newest_version_that_the_server_has_is_read(
    api: ScriptedApi, cluster: Cluster, version: str
) -> None:
    path = f"/apis/resource.k8s.io/{version}/deviceclasses"
    api.script = serving((path, a_class("gpus")), ("/apis/resource.k8s.io", NOT_FOUND))

    snapshot = collect(cluster)

    (found,) = snapshot.objects["DeviceClass"]
    assert found.name == "gpus"
    assert found.api_version == f"resource.k8s.io/{version}"


@pytest.mark.parametrize("keep_whole", [False, True])
def test_a_kind_that_no_version_serves_is_absent_and_named(
    api: ScriptedApi, cluster: Cluster, keep_whole: bool, tmp_path: Path
) -> None:
    api.script = serving(("/apis/resource.k8s.io", NOT_FOUND), ("/apis/nvidia.com", NOT_FOUND))

    if keep_whole:
        whole = collect_whole(cluster)
        write(tmp_path / "saved", members(whole))
        snapshots = [whole.snapshot, load(str(tmp_path / "saved"))]
    else:
        snapshots = [collect(cluster)]

    for snapshot in snapshots:
        assert snapshot.objects["ResourceClaim"] == ()
        assert snapshot.objects["ClusterPolicy"] == ()
        assert {"ResourceClaim", "ClusterPolicy"} <= {*snapshot.info.collection.unserved}
        assert snapshot.info.collection.missing == ()


def test_what_may_not_be_read_is_missing_if_it_is_there(api: ScriptedApi, cluster: Cluster) -> None:
    refused = forbidden(DEVICE_CLASS)
    discovery = Answer({"resources": [{"name": "deviceclasses"}]})
    api.script = serving(
        (DEVICE_CLASS.path(), refused),
        (DEVICE_CLASS.root + "/resourcec", Answer({"metadata": {}, "items": []})),
        (DEVICE_CLASS.root + "/resources", Answer({"metadata": {}, "items": []})),
        (DEVICE_CLASS.root, discovery),
    )

    collection = collect(cluster).info.collection

    assert [each.resource for each in collection.denied] == ["deviceclasses.resource.k8s.io"]
    assert collection.missing == ("DeviceClass",)


def test_what_may_not_be_read_and_is_not_there_is_absent(
    api: ScriptedApi, cluster: Cluster
) -> None:
    refused = ["/deviceclasses", "/resourceslices", "/resourceclaims", "/resourceclaimtemplates"]
    versions = ["v1", "v1beta2", "v1beta1"]
    root = "/apis/resource.k8s.io"
    special = [(f"{root}/{v}{path}", forbidden(DEVICE_CLASS)) for v in versions for path in refused]
    api.script = serving(*special, (root, NOT_FOUND))

    collection = collect(cluster).info.collection

    assert collection.denied == ()
    assert collection.missing == ()
    assert "DeviceClass" in collection.unserved


def test_a_metrics_server_that_is_down_hides_nothing_else(
    api: ScriptedApi, cluster: Cluster
) -> None:
    down = Answer({"kind": "Status", "code": 503, "message": "no endpoints"}, 503)
    api.script = serving((POD_METRICS.root, down))

    snapshot = collect(cluster)

    assert snapshot.info.collection.missing == ("PodMetrics",)
    assert snapshot.has("Pod")


def test_metrics_are_saved_redacted_and_read_again(
    api: ScriptedApi, cluster: Cluster, tmp_path: Path
) -> None:
    pod: dict[str, Any] = {
        "metadata": {
            "name": "exporter-1",
            "namespace": "gpus",
            "ownerReferences": [{"kind": "DaemonSet", "name": "dcgm-exporter", "controller": True}],
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "a"}]},
        "status": {"phase": "Running"},
    }
    daemon_set = {
        "metadata": {"name": "dcgm-exporter", "namespace": "gpus"},
        "spec": {"template": {"spec": pod["spec"]}},
    }
    text = 'DCGM_FI_DEV_GPU_UTIL{gpu="0",note="password=hunter2"} 7\n'
    api.script = serving(
        ("/api/v1/namespaces/gpus/pods/exporter-1:9400/proxy/metrics", Answer(text.encode())),
        ("/api/v1/pods", Answer({"metadata": {}, "items": [pod]})),
        ("/apis/apps/v1/daemonsets", Answer({"metadata": {}, "items": [daemon_set]})),
    )

    whole = collect_whole(cluster)
    write(tmp_path / "saved.tar.gz", members(whole))

    key = MetricsKey("gpus", "exporter-1")
    assert whole.snapshot.metrics == {key: text}
    again = load(str(tmp_path / "saved.tar.gz")).metrics[key]
    assert "hunter2" not in again
    assert again.startswith('DCGM_FI_DEV_GPU_UTIL{gpu="0"')


def test_of_a_workload_that_is_well_only_the_first_words_are_read(
    api: ScriptedApi, cluster: Cluster
) -> None:
    web = deployment()
    pods = Answer({"metadata": {}, "items": [pod("web-1", owner=web), pod("web-2", owner=web)]})
    workloads = Answer({"metadata": {}, "items": [web]})
    log = Answer('{"event":"start","execution":"interpreted"}')
    answers = serving(
        ("/api/v1/namespaces/default/pods/web-1/log", log),
        ("/api/v1/pods", pods),
        ("/apis/apps/v1/deployments", workloads),
    )
    api.script = answers

    unasked = collect(cluster)
    seen = collect(cluster, wanted=lambda _, view: view.subject.name == "web")

    assert unasked.logs == {}
    assert [key.pod for key in seen.logs] == ["web-1"]
    (asked,) = (each for each in api.asked if each.path.endswith("/log"))
    assert (asked.query["limitBytes"], "tailLines" in asked.query) == ("2048", False)
