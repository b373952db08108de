"""Reading and writing objects of a real API server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from cluster_objects import CONFIG_MAP, Named, config_map, deployment

from kubectl_wasmai.errors import Conflict, Invalid, NotFound
from kubectl_wasmai.resources import DEPLOYMENT, POD, RUNTIME_CLASS, Resource

if TYPE_CHECKING:
    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster

pytestmark = pytest.mark.integration

LEASE = Resource("Lease", "leases", "coordination.k8s.io")


def test_pages_give_the_same_items_as_one_list(cluster: Cluster) -> None:
    for number in range(7):
        cluster.apply(config_map(f"c{number}"))
    before = cluster.stats.requests
    paged = cluster.list(CONFIG_MAP, Named, cluster.namespace, limit=2)
    assert cluster.stats.requests - before == 4
    whole = cluster.list(CONFIG_MAP, Named, cluster.namespace)
    assert paged.items == whole.items
    assert len(whole.items) == 7
    assert paged.undecodable == ()
    assert int(paged.resource_version) > 0


def test_selectors_choose(cluster: Cluster) -> None:
    cluster.apply(config_map("a"))
    cluster.apply({**config_map("b"), "metadata": {"name": "b"}})
    found = cluster.list(CONFIG_MAP, Named, cluster.namespace, label_selector="made-by=test").items
    assert [item.metadata.name for item in found] == ["a"]
    found = cluster.list(
        CONFIG_MAP, Named, cluster.namespace, field_selector="metadata.name=b"
    ).items
    assert [item.metadata.name for item in found] == ["b"]


def test_all_namespaces_hold_what_each_holds(cluster: Cluster) -> None:
    cluster.apply(config_map("here"))
    names = [item.metadata.name for item in cluster.list(CONFIG_MAP, Named, limit=3).items]
    assert "here" in names
    assert "extension-apiserver-authentication" in names


def test_apply_creates_then_changes_nothing_then_configures(cluster: Cluster) -> None:
    assert cluster.apply(config_map("a", k="1")).operation == "created"
    assert cluster.apply(config_map("a", k="1")).operation == "unchanged"
    changed = cluster.apply(config_map("a", k="2"))
    assert changed.operation == "configured"
    assert changed.object["data"] == {"k": "2"}
    assert cluster.get(CONFIG_MAP, "a") == changed.object


def test_a_dry_run_says_the_same_and_changes_nothing(cluster: Cluster) -> None:
    assert cluster.apply(deployment("web"), dry_run="server").operation == "created"
    with pytest.raises(NotFound):
        cluster.get(DEPLOYMENT, "web")
    cluster.apply(deployment("web"))
    before = cluster.get(DEPLOYMENT, "web")
    assert cluster.apply(deployment("web"), dry_run="server").operation == "unchanged"
    tried = cluster.apply(deployment("web", replicas=3), dry_run="server")
    assert tried.operation == "configured"
    assert tried.object["spec"]["replicas"] == 3
    cluster.delete(DEPLOYMENT, "web", dry_run="server")
    assert cluster.get(DEPLOYMENT, "web") == before


def test_another_managers_field_is_a_conflict_until_it_is_forced(
    cluster: Cluster, kubectl: Any, control_plane: ControlPlane
) -> None:
    cluster.apply(deployment("web", replicas=1))
    where = [f"--kubeconfig={control_plane.kubeconfig()}", "-n", cluster.namespace]
    done = kubectl("scale", "deployment/web", "--replicas=5", *where)
    assert done.returncode == 0, done.stderr
    with pytest.raises(Conflict) as caught:
        cluster.apply(deployment("web", replicas=2))
    assert "Deployment web" in caught.value.message
    assert ".spec.replicas" in caught.value.message
    assert '"kubectl"' in caught.value.message
    assert "--force-conflicts" in caught.value.hint
    with pytest.raises(Conflict):
        cluster.apply(deployment("web", replicas=2), dry_run="server")
    forced = cluster.apply(deployment("web", replicas=2), force_conflicts=True)
    assert (forced.operation, forced.object["spec"]["replicas"]) == ("configured", 2)


def test_an_immutable_field_is_refused(cluster: Cluster) -> None:
    cluster.apply(deployment("web"))
    other = deployment("web")
    other["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(Invalid, match="field is immutable"):
        cluster.apply(other, force_conflicts=True)


def test_a_kind_we_do_not_know_is_found_by_discovery(cluster: Cluster) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "mine"},
        "spec": {"holderIdentity": "me"},
    }
    assert cluster.apply(lease).operation == "created"
    assert cluster.get(LEASE, "mine")["spec"]["holderIdentity"] == "me"
    runtime_class = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": cluster.namespace},
        "handler": "crun",
    }
    assert cluster.apply(runtime_class).operation == "created"
    cluster.delete(RUNTIME_CLASS, cluster.namespace)


def test_a_namespace_in_the_manifest_counts(cluster: Cluster, admin: Cluster) -> None:
    manifest = config_map("elsewhere")
    manifest["metadata"]["namespace"] = cluster.namespace
    admin.apply(manifest)
    assert cluster.get(CONFIG_MAP, "elsewhere")["metadata"]["namespace"] == cluster.namespace


def test_who_may_write_but_not_read_can_apply(
    cluster: Cluster, kubeconfig: Any, connected: Any
) -> None:
    grant(cluster, "writer", ["create", "patch"])
    writer = connected(kubeconfig=kubeconfig(identity=("writer", ())), namespace=cluster.namespace)
    assert writer.apply(config_map("w", k="1")).operation == "created"
    assert writer.apply(config_map("w", k="1")).operation == "configured"
    assert writer.can_i("patch", CONFIG_MAP, cluster.namespace)
    assert not writer.can_i("get", CONFIG_MAP, cluster.namespace)
    assert not writer.can_i("patch", CONFIG_MAP)


def grant(cluster: Cluster, user: str, verbs: list[str]) -> None:
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": user}}
    cluster.apply({**role, "rules": rules})
    cluster.apply(
        {
            **role,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
    )


def test_delete_is_delete(cluster: Cluster) -> None:
    cluster.apply(config_map("a"))
    cluster.delete(CONFIG_MAP, "a")
    with pytest.raises(NotFound):
        cluster.get(CONFIG_MAP, "a")


def test_the_api_servers_warnings_are_kept_once_each(cluster: Cluster) -> None:
    manifest = deployment("web")
    manifest["spec"]["template"]["metadata"]["annotations"] = {
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined"
    }
    cluster.apply(manifest)
    cluster.apply(manifest)
    assert len(cluster.warnings) == 1
    assert "seccomp" in cluster.warnings[0]


def test_can_i_answers_as_kubectl(
    kubectl: Any, connected: Any, kubeconfig: Any, cluster: Cluster
) -> None:
    grant(cluster, "reader", ["list"])
    path = kubeconfig(identity=("reader", ()))
    ours = connected(kubeconfig=path)
    for verb in ("list", "delete"):
        where = ["-n", cluster.namespace, f"--kubeconfig={path}"]
        theirs = kubectl("auth", "can-i", verb, "configmaps", *where).returncode == 0
        assert ours.can_i(verb, CONFIG_MAP, cluster.namespace) is theirs
    assert not ours.can_i("get", POD, cluster.namespace, "log")
    assert cluster.can_i("get", POD, subresource="log")


def test_many_threads_share_one_cluster(cluster: Cluster) -> None:
    for number in range(5):
        cluster.apply(config_map(f"c{number}"))
    before = cluster.stats.requests
    found: list[int] = []

    def read() -> None:
        found.extend(
            len(cluster.list(CONFIG_MAP, dict, cluster.namespace, limit=2).items) for _ in range(5)
        )

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 40
    assert cluster.stats.requests - before == 40 * 3
