"""The deploy commands against a real API server. No controllers run here: nothing becomes ready."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.cli.main import run
from kubectl_wasmai.errors import NotFound
from kubectl_wasmai.resources import DEPLOYMENT, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster

pytestmark = pytest.mark.integration

Wasmai = Callable[..., "tuple[int, str, str]"]
IMAGE = ("--image", "example.test/hello:1")
CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"


def make_class(cluster: Cluster, name: str, handler: str) -> str:
    metadata = {"name": name}
    body = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": metadata,
        "handler": handler,
    }
    cluster.request("POST", CLASSES, body=body)
    return name


@pytest.fixture
def wasm_class(admin: Cluster) -> Iterator[str]:
    yield make_class(admin, "deploy-wasm", "crun")
    admin.request("DELETE", f"{CLASSES}/deploy-wasm")


@pytest.fixture
def native_class(admin: Cluster) -> Iterator[str]:
    yield make_class(admin, "deploy-native", "nvidia")
    admin.request("DELETE", f"{CLASSES}/deploy-native")


@pytest.fixture
def wasmai(
    control_plane: ControlPlane, namespace: str, capsys: pytest.CaptureFixture[str]
) -> Wasmai:
    """Exit code, stdout and stderr of one command line in the test's namespace."""

    def call(*words: str, kubeconfig: Path | None = None) -> tuple[int, str, str]:
        path = kubeconfig or control_plane.kubeconfig()
        code = run([words[0], "--kubeconfig", str(path), "-n", namespace, *words[1:]])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def deploy(wasmai: Wasmai, wasm_class: str) -> Wasmai:
    def call(*words: str, **more: Any) -> tuple[int, str, str]:
        given = ("deploy", "web", *IMAGE, "--class", wasm_class, "--wait=false")
        return wasmai(*given, *words, **more)

    return call


def test_deploying_twice_changes_nothing_the_second_time(deploy: Wasmai, cluster: Cluster) -> None:
    assert deploy()[:2] == (0, "deployment.apps/web created\nservice/web created\n")
    before = cluster.get(DEPLOYMENT, "web")
    assert deploy()[:2] == (0, "deployment.apps/web unchanged\nservice/web unchanged\n")
    assert cluster.get(DEPLOYMENT, "web") == before


@pytest.mark.parametrize(
    "amounts", ["cpu=1000m,memory=0.25Gi", "cpu=1e0,memory=268435456", "cpu=.5,memory=1024Mi"]
)
def test_amounts_in_unusual_spellings_change_nothing_either(deploy: Wasmai, amounts: str) -> None:
    deploy("--limits", amounts)
    assert deploy("--limits", amounts)[1].count("unchanged") == 2


def test_a_change_is_told_where_it_is(deploy: Wasmai, cluster: Cluster) -> None:
    deploy("--env", "A=1", "--labels", "team=a")
    _, out, _ = deploy("--env", "B=2", "--labels", "team=a")
    assert out == "deployment.apps/web configured\nservice/web unchanged\n"
    container = cluster.get(DEPLOYMENT, "web")["spec"]["template"]["spec"]["containers"][0]
    assert [variable["name"] for variable in container["env"]] == ["B", "PORT"]


def test_everything_that_can_be_said_passes_strict_validation(deploy: Wasmai) -> None:
    code, _, err = deploy(
        *("--port", "80", "--health-path", "/ready?full=1", "--replicas", "0"),
        *("--requests", "cpu=1", "--limits", "nvidia.com/gpu=1,cpu=0", "--env", "A=1"),
        *("--image-pull-policy", "Never", "--annotations", "a.test/b=c,d", "--labels", "a=b"),
        *("--run-as-user", "0", "--", "--verbose"),
    )
    assert (code, err) == (0, "")


def test_a_server_dry_run_keeps_nothing(deploy: Wasmai, cluster: Cluster) -> None:
    assert deploy("--dry-run=server")[1] == (
        "deployment.apps/web created (server dry run)\nservice/web created (server dry run)\n"
    )
    with pytest.raises(NotFound):
        cluster.get(DEPLOYMENT, "web")


def test_the_client_dry_runs_yaml_is_what_kubectl_applies(
    wasmai: Wasmai, control_plane: ControlPlane, kubectl: Callable[..., Any], tmp_path: Path
) -> None:
    _, out, _ = wasmai("deploy", "web", *IMAGE, "--class=any", "--dry-run=client", "-o", "yaml")
    (tmp_path / "web.yaml").write_text(out)
    done = kubectl(
        "apply",
        *("--validate=strict", "-f", tmp_path / "web.yaml"),
        KUBECONFIG=control_plane.kubeconfig(),
    )
    assert done.stdout == "deployment.apps/web created\nservice/web created\n", done.stderr


def test_output_is_what_the_server_has_now(deploy: Wasmai) -> None:
    document = json.loads(deploy("-o", "json")[1])
    assert [item["kind"] for item in document["items"]] == ["Deployment", "Service"]
    assert all(item["metadata"]["uid"] for item in document["items"])


def test_the_number_of_replicas_belongs_to_who_set_it_last(
    deploy: Wasmai, cluster: Cluster, control_plane: ControlPlane, kubectl: Callable[..., Any]
) -> None:
    deploy("--replicas", "2")
    assert deploy()[1].count("unchanged") == 2
    scale = ("scale", "deployment/web", "--replicas", "5", "-n", cluster.namespace)
    assert kubectl(*scale, KUBECONFIG=control_plane.kubeconfig()).returncode == 0
    assert deploy()[1].count("unchanged") == 2
    assert cluster.get(DEPLOYMENT, "web")["spec"]["replicas"] == 5

    code, _, err = deploy("--replicas", "2")
    assert code == 1
    assert ".spec.replicas" in err
    assert deploy("--replicas", "2", "--force-conflicts")[0] == 0
    assert cluster.get(DEPLOYMENT, "web")["spec"]["replicas"] == 2


def test_a_class_that_does_not_exist_stops_before_anything_is_made(
    wasmai: Wasmai, wasm_class: str, cluster: Cluster
) -> None:
    code, out, err = wasmai("deploy", "web", *IMAGE, "--class", "wasn")
    assert (code, out) == (1, "")
    assert "RuntimeClass wasn does not exist" in err
    assert f"{wasm_class} (handler crun)" in err
    assert "kubectl apply -f - <<'EOF'" in err
    with pytest.raises(NotFound):
        cluster.get(DEPLOYMENT, "web")


def test_a_class_of_native_binaries_is_refused(wasmai: Wasmai, native_class: str) -> None:
    code, _, err = wasmai("deploy", "web", *IMAGE, "--class", native_class)
    assert code == 1
    assert "runs native binaries only" in err


@pytest.mark.usefixtures("native_class")
def test_the_only_class_for_wasm_is_chosen_aloud(wasmai: Wasmai, wasm_class: str) -> None:
    code, _, err = wasmai("deploy", "web", *IMAGE, "--dry-run=server")
    assert (code, err) == (0, f"using RuntimeClass {wasm_class} (handler crun)\n")


@pytest.fixture
def editor(admin: Cluster, control_plane: ControlPlane, namespace: str) -> Path:
    """Somebody who may edit this namespace, and reads nothing that belongs to the cluster."""
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    admin.request(
        "POST",
        f"{root}/roles",
        body={**api, "kind": "Role", "metadata": {"name": "edit"}, "rules": rules},
    )
    binding = {
        **api,
        "kind": "RoleBinding",
        "metadata": {"name": "edit"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "edit"},
        "subjects": [{"kind": "User", "name": "jane"}],
    }
    admin.request("POST", f"{root}/rolebindings", body=binding)
    return control_plane.kubeconfig("jane", ["editors"])


def test_who_may_not_read_classes_is_warned_and_served(deploy: Wasmai, editor: Path) -> None:
    code, out, err = deploy(kubeconfig=editor)
    assert (code, out.count("created")) == (0, 2)
    assert "was not checked: you may not read RuntimeClasses" in err


def test_who_may_not_read_classes_must_name_one(wasmai: Wasmai, editor: Path) -> None:
    code, _, err = wasmai("deploy", "web", *IMAGE, kubeconfig=editor)
    assert code == 2
    assert "--class" in err


@pytest.mark.parametrize("command", ["deploy", "delete"])
def test_a_service_of_somebody_else_is_never_touched(
    wasmai: Wasmai, wasm_class: str, cluster: Cluster, command: str
) -> None:
    foreign: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"ports": [{"port": 80}]},
    }
    before = cluster.apply(foreign).object
    more = (*IMAGE, "--class", wasm_class) if command == "deploy" else ()
    code, _, err = wasmai(command, "web", *more)
    assert code == 1
    assert "says Helm" in err
    assert cluster.get(SERVICE, "web") == before
    with pytest.raises(NotFound):
        cluster.get(DEPLOYMENT, "web")


def test_what_does_not_become_ready_is_told_pod_by_pod(deploy: Wasmai) -> None:
    code, out, err = deploy("--wait", "--timeout", "1s")
    assert (code, out.count("created")) == (3, 2)
    assert "was not ready after 1s: 0 of 1 pods ready" in err
    assert "the Deployment controller has not seen this change yet" in err


def test_list_shows_what_deploy_made_and_nothing_else(deploy: Wasmai, wasmai: Wasmai) -> None:
    code, out, err = wasmai("list")
    assert (code, out) == (0, "")
    assert err.startswith("No resources found in ")
    deploy()
    assert wasmai("list")[1].splitlines()[0].split() == ["NAME", "CLASS", "READY", "IMAGE", "AGE"]
    assert wasmai("list", "--no-headers")[1].split()[:3] == ["web", "deploy-wasm", "0/1"]
    assert wasmai("list", "-o", "name")[1] == "deployment.apps/web\n"
    assert "SERVICE" in wasmai("list", "-o", "wide")[1]
    assert "NAMESPACE" in wasmai("list", "-A")[1]
    assert json.loads(wasmai("list", "-o", "json")[1])["items"][0]["kind"] == "Deployment"
    assert wasmai("list", "-l", "team=nobody")[1] == ""


def test_status_of_what_is_not_ready_exits_3(deploy: Wasmai, wasmai: Wasmai) -> None:
    assert wasmai("status", "web")[0] == 1
    deploy()
    code, out, _ = wasmai("status", "web")
    assert code == 3
    assert "GET /v2/health/ready on port http" in out
    code, out, _ = wasmai("status", "web", "-o", "json")
    document = json.loads(out)
    assert (code, document["kind"], document["ready"]) == (3, "WorkloadStatus", False)


def test_logs_of_a_workload_without_pods_say_so(deploy: Wasmai, wasmai: Wasmai) -> None:
    deploy()
    assert wasmai("logs", "web") == (0, "", "web has no pods\n")


def test_delete_takes_both_and_a_dry_run_neither(
    deploy: Wasmai, wasmai: Wasmai, cluster: Cluster
) -> None:
    deploy()
    assert "(server dry run)" in wasmai("delete", "web", "--dry-run=server")[1]
    assert "(dry run)" in wasmai("delete", "web", "--dry-run=client")[1]
    assert cluster.get(DEPLOYMENT, "web")
    code, out, _ = wasmai("delete", "web")
    assert (code, out) == (0, 'service "web" deleted\ndeployment.apps "web" deleted\n')
    for resource in (DEPLOYMENT, SERVICE):
        with pytest.raises(NotFound):
            cluster.get(resource, "web")
    assert wasmai("delete", "web")[0] == 1
    assert wasmai("delete", "web", "--ignore-not-found")[0] == 0
