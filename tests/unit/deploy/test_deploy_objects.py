from __future__ import annotations

from typing import Any

import pytest
from deploy_builders import request

from kubectl_wasmai.deploy.apply import keep_scale
from kubectl_wasmai.deploy.inventory import Inventory, headers, row
from kubectl_wasmai.deploy.manifests import build
from kubectl_wasmai.deploy.ownership import check_ours
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.resources import DEPLOYMENT, SERVICE

Json = dict[str, Any]


def live(replicas: int, manager: str) -> Json:
    """A Deployment whose number of replicas belongs to ``manager``."""
    fields: Json = {"f:spec": {"f:replicas": {}}}
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": fields}
    return {"metadata": {"managedFields": [entry]}, "spec": {"replicas": replicas}}


def replicas(existing: Json | None) -> object:
    manifests = build(request(), "crun")
    kept = keep_scale(manifests, {DEPLOYMENT: existing} if existing else {})
    assert kept[1] == manifests[1]
    return kept[0]["spec"].get("replicas")


def test_a_new_deployment_has_one_replica() -> None:
    assert replicas(None) == 1


def test_our_own_number_of_replicas_is_repeated() -> None:
    assert replicas(live(3, "kubectl-wasmai")) == 3


def test_a_number_taken_over_by_an_autoscaler_stays_its_own() -> None:
    assert replicas(live(3, "kube-controller-manager")) is None


def labelled(**labels: str) -> Json:
    return {"metadata": {"name": "web", "namespace": "default", "labels": labels}}


def test_what_we_made_is_ours() -> None:
    for manifest in build(request(), "crun"):
        check_ours(DEPLOYMENT, manifest)


def test_an_object_of_another_tool_is_refused_by_that_tools_name() -> None:
    with pytest.raises(InputError, match=r"service/web .* says Helm"):
        check_ours(SERVICE, labelled(**{"app.kubernetes.io/managed-by": "Helm"}))


def test_an_object_without_a_label_is_refused_by_its_writers_name() -> None:
    thing = labelled()
    thing["metadata"]["managedFields"] = [{"manager": "kubectl-create"}]

    with pytest.raises(InputError, match="written by kubectl-create"):
        check_ours(DEPLOYMENT, thing)


def test_a_copy_under_another_name_is_not_ours() -> None:
    copied = build(request(), "crun")[0]
    copied["metadata"]["name"] = "copy"

    with pytest.raises(InputError, match="apps/copy"):
        check_ours(DEPLOYMENT, copied)


def test_rows_fit_their_headers() -> None:
    deployment = build(request(namespace="default"), "crun")[0]
    inventory = Inventory([deployment], {("default", "web"): "http://web"}, {})
    for wide in (False, True):
        for everywhere in (False, True):
            titles = headers(wide=wide, all_namespaces=everywhere)
            cells = row(inventory, deployment, wide=wide, all_namespaces=everywhere)
            assert len(titles) == len(cells)
            assert dict(zip(titles, cells, strict=True))["READY"] == "0/1"
