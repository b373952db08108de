"""What the API server refuses, and in which words: ours beside the real kubectl's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)
from kubectl_wasmai.resources import POD, Resource

if TYPE_CHECKING:
    from pathlib import Path

    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster

pytestmark = pytest.mark.integration

CONFIG_MAP = Resource("ConfigMap", "configmaps")
V1 = "client.authentication.k8s.io/v1"


def test_a_wrong_token_is_unauthorized_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(alone=True, user={"token": "wrong"})
    done = kubectl("get", "configmaps", f"--kubeconfig={path}")
    assert "You must be logged in to the server" in done.stderr
    with pytest.raises(Unauthorized, match="you must be logged in"):
        connected(kubeconfig=path).list(CONFIG_MAP, dict)


def test_what_is_forbidden_is_said_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(identity=("jane", ("devs",)))
    done = kubectl("get", "pods", "-n", "default", f"--kubeconfig={path}")
    with pytest.raises(Forbidden) as caught:
        connected(kubeconfig=path).list(POD, dict, "default")
    error = caught.value
    assert error.message in done.stderr
    assert (error.verb, error.resource, error.namespace) == ("list", "pods", "default")


def test_what_is_not_found_is_said_as_in_kubectl(
    kubectl: Any, cluster: Cluster, control_plane: ControlPlane
) -> None:
    path = control_plane.kubeconfig()
    done = kubectl("get", "configmap", "none", f"--kubeconfig={path}", "-n", cluster.namespace)
    with pytest.raises(NotFound) as caught:
        cluster.get(CONFIG_MAP, "none")
    assert caught.value.message in done.stderr
    with pytest.raises(NotFound):
        cluster.delete(CONFIG_MAP, "none")


def test_a_kind_the_cluster_does_not_serve_is_not_found(cluster: Cluster) -> None:
    with pytest.raises(NotFound) as caught:
        cluster.list(Resource("Thing", "things", "example.org"), dict)
    assert "does not serve" in caught.value.hint


def test_an_object_that_exists_is_a_conflict_as_in_kubectl(
    kubectl: Any, cluster: Cluster, control_plane: ControlPlane
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "twice"}}
    path = CONFIG_MAP.path(cluster.namespace)
    cluster.request("POST", path, body=body)
    with pytest.raises(Conflict) as caught:
        cluster.request("POST", path, body=body)
    where = [f"--kubeconfig={control_plane.kubeconfig()}", "-n", cluster.namespace]
    done = kubectl("create", "configmap", "twice", *where)
    assert caught.value.message in done.stderr


def test_an_invalid_object_is_refused_in_the_servers_words_as_in_kubectl(
    kubectl: Any, cluster: Cluster, control_plane: ControlPlane, tmp_path: Path
) -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {}, "template": {}},
    }
    file = tmp_path / "web.json"
    file.write_text(json.dumps(manifest))
    where = [f"--kubeconfig={control_plane.kubeconfig()}", "-n", cluster.namespace]
    done = kubectl("apply", "--server-side", "-f", file, *where)
    with pytest.raises(Invalid) as caught:
        cluster.apply(manifest)
    assert 'Deployment.apps "web" is invalid' in caught.value.message
    assert 'The Deployment "web" is invalid' in done.stderr
    assert caught.value.status == 422


def test_a_misspelt_field_is_refused_as_in_kubectl(cluster: Cluster) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dato": {}}
    with pytest.raises(Invalid, match=r"\.dato: field not declared in schema"):
        cluster.apply(manifest)
