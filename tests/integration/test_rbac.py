"""The roles that ``rbac`` prints, on a real API server: they suffice, and each rule is needed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.cli.main import run
from kubectl_wasmai.rbac import Holder, rights, roles
from kubectl_wasmai.resources import ALL
from kubectl_wasmai.rights import to_examine

if TYPE_CHECKING:
    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster

pytestmark = pytest.mark.integration

Json = dict[str, Any]
Examine = Callable[..., "tuple[int, Json]"]
ROOT = "/apis/rbac.authorization.k8s.io/v1"
_users = itertools.count(1)


def grant(cluster: Cluster, documents: list[Json]) -> None:
    """Create them; ClusterRoles of earlier tests have other names."""
    for document in documents:
        namespace = document["metadata"].get("namespace")
        middle = f"/namespaces/{namespace}" if namespace else ""
        path = f"{ROOT}{middle}/{document['kind'].lower()}s"
        cluster.request("POST", path, body=document)


def renamed(documents: list[Json], suffix: str) -> list[Json]:
    """The same roles under names of the test's own."""
    text = json.dumps(documents).replace('"kubectl-wasmai-', f'"{suffix}-kubectl-wasmai-')
    return list(json.loads(text))


@pytest.fixture
def wasm_pod(cluster: Cluster, namespace: str) -> None:
    """A Deployment of a class that exists nowhere: something to judge."""
    labels = {"app": "web"}
    spec = {"runtimeClassName": "no-such-class", "containers": [{"name": "a", "image": "a:1"}]}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        }
    )


@pytest.fixture
def examined(
    control_plane: ControlPlane, namespace: str, capsys: pytest.CaptureFixture[str]
) -> Examine:
    def call(user: str, *words: str) -> tuple[int, Json]:
        config = control_plane.kubeconfig(user, ())
        scope = words or ("-n", namespace)
        code = run(["doctor", "--kubeconfig", str(config), "-o", "json", *scope])
        return code, json.loads(capsys.readouterr().out)

    return call


def denied(report: Json) -> set[tuple[str, str]]:
    return {(each["verb"], each["resource"]) for each in report["collection"]["denied"]}


@pytest.mark.usefixtures("wasm_pod")
def test_the_printed_role_suffices_and_nothing_outside_it_is_asked_for(
    cluster: Cluster, examined: Examine
) -> None:
    user = f"rbac-user-{next(_users)}"
    grant(cluster, renamed(roles("doctor", holders=[Holder("User", user)]), user))

    code, report = examined(user, "-A")

    assert denied(report) == set()
    assert code == 3
    # Whatever else it asked for would have been refused, and been named.
    lists = sum(right.verb == "list" for right in to_examine())
    assert report["collection"]["requests"] >= lists + 1


@pytest.mark.usefixtures("wasm_pod")
def test_a_namespaced_role_suffices_for_one_namespace(
    cluster: Cluster, namespace: str, examined: Examine
) -> None:
    user = f"rbac-user-{next(_users)}"
    grant(cluster, renamed(roles("doctor", namespace, [Holder("User", user)]), user))

    code, report = examined(user)

    assert (code, denied(report)) == (3, set())


@pytest.mark.usefixtures("wasm_pod")
def test_a_kind_that_the_server_does_not_have_needs_no_right(
    cluster: Cluster, examined: Examine
) -> None:
    user = f"rbac-user-{next(_users)}"
    documents = renamed(roles("doctor", holders=[Holder("User", user)]), user)
    served = {r.group for r in ALL if cluster.serves(r)}
    documents[0]["rules"] = [
        rule for rule in documents[0]["rules"] if {*rule["apiGroups"]} <= served
    ]
    grant(cluster, documents)

    _, report = examined(user, "-A")

    assert denied(report) == set()
    # Must stand before the tests that serve them all.
    unserved = {r.kind for r in ALL if r.group not in served}
    assert unserved
    assert {*report["collection"]["unserved"]} == unserved
    assert not unserved & {*report["collection"]["missing"]}


@pytest.fixture
def all_kinds(cluster: Cluster) -> None:
    """Serves what operators and a metrics server would: what does not exist needs no right."""
    for resource in ALL:
        if cluster.serves(resource) or resource.older:
            continue
        names = {"kind": resource.kind, "plural": resource.plural}
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        approved = {"api-approved.kubernetes.io": "unapproved, for a test"}
        cluster.apply(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {
                    "name": f"{resource.plural}.{resource.group}",
                    "annotations": approved,
                },
                "spec": {
                    "group": resource.group,
                    "names": {**names, "singular": resource.kind.lower()},
                    "scope": "Namespaced" if resource.namespaced else "Cluster",
                    "versions": [
                        {
                            "name": resource.version,
                            "served": True,
                            "storage": True,
                            "schema": {"openAPIV3Schema": schema},
                        }
                    ],
                },
            }
        )
    deadline = time.monotonic() + 30
    while not all(map(cluster.serves, ALL)) and time.monotonic() < deadline:
        time.sleep(0.2)


@pytest.mark.parametrize("missing", [r for r in to_examine() if r.verb == "list"], ids=str)
@pytest.mark.usefixtures("wasm_pod", "all_kinds")
def test_each_rule_is_needed_and_its_lack_is_named(
    cluster: Cluster, examined: Examine, missing: Any
) -> None:
    user = f"rbac-user-{next(_users)}"
    documents = renamed(roles("doctor", holders=[Holder("User", user)]), user)
    for rule in documents[0]["rules"]:
        if rule["apiGroups"] == [missing.resource.group]:
            rule["resources"] = [name for name in rule["resources"] if name != missing.name]
    documents[0]["rules"] = [rule for rule in documents[0]["rules"] if rule["resources"]]
    grant(cluster, documents)

    _, report = examined(user, "-A")

    group = f".{missing.resource.group}" if missing.resource.group else ""
    assert denied(report) == {("list", missing.name + group)}
    line = f'resources: ["{missing.name}"], verbs: ["list"]'
    unknown = [each for each in report["checks"] if each["status"] == "UNKNOWN"]
    for each in unknown:
        if each["needs"].startswith(f"list {missing.name}"):
            assert line in each["needs"]
    if missing.name == "runtimeclasses":
        assert any(line in each["needs"] for each in unknown)


@pytest.mark.usefixtures("wasm_pod", "all_kinds")
def test_rights_in_one_namespace_alone_are_enough_to_be_useful(
    cluster: Cluster, namespace: str, examined: Examine
) -> None:
    user = f"rbac-user-{next(_users)}"
    documents = roles("doctor", namespace, [Holder("User", user)])
    grant(cluster, [each for each in documents if not each["kind"].startswith("Cluster")])

    code, report = examined(user)

    outside = {r for r in rights("doctor") if not r.resource.namespaced}
    assert {name.partition(".")[0] for _, name in denied(report)} == {r.name for r in outside}
    unknown = {each["id"] for each in report["checks"] if each["status"] == "UNKNOWN"}
    assert "runtimeclass-exists" in unknown
    assert code in (0, 1, 3)
    assert code == {"broken": 3, "inconclusive": 1}.get(report["summary"]["verdict"], 0)


def test_the_role_for_deploy_suffices_for_deploy(
    control_plane: ControlPlane,
    cluster: Cluster,
    namespace: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    user = f"rbac-user-{next(_users)}"
    body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
    classes = "/apis/node.k8s.io/v1/runtimeclasses"
    cluster.request("POST", classes, body={**body, "metadata": {"name": user}, "handler": "crun"})
    grant(cluster, renamed(roles("deploy", namespace, [Holder("User", user)]), user))
    usual = ["--kubeconfig", str(control_plane.kubeconfig(user, ())), "-n", namespace]

    try:
        image = ["--image", "example.test/hello:1", "--class", user, "--wait=false"]
        for words in (
            ["deploy", "web", *image], ["deploy", "web", *image], ["list", "-o", "wide"],
            ["status", "web"], ["delete", "web"],
        ):  # fmt: skip
            code = run([words[0], *usual, *words[1:]])
            said = capsys.readouterr()
            # 3 is status: no controllers run here, so nothing becomes ready.
            assert code in (0, 3), said.err
            assert "forbidden" not in said.err
    finally:
        cluster.request("DELETE", f"{classes}/{user}")
