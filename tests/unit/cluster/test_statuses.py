"""What the API server answers besides 200, and which error each answer becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import Answer, ScriptedApi

from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect
from kubectl_wasmai.errors import (
    ApiError,
    ClusterUnreachable,
    Conflict,
    Forbidden,
    Gone,
    InputError,
    Invalid,
    NotFound,
    Unauthorized,
)
from kubectl_wasmai.resources import DEPLOYMENT, POD

if TYPE_CHECKING:
    from pathlib import Path


def status(code: int, message: str = "no", **details: Any) -> Answer:
    body = {"kind": "Status", "code": code, "message": message, "reason": "Why"}
    return Answer({**body, "details": details} if details else body, code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, Invalid),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, Gone),
        (422, Invalid),
        (418, ApiError),
    ],
)
def test_each_status_has_its_error_with_the_servers_words(
    api: ScriptedApi, cluster: Cluster, code: int, kind: type[ApiError]
) -> None:
    api.answers(status(code, "the very words"))
    with pytest.raises(kind, match="the very words") as caught:
        cluster.get(POD, "web")
    assert caught.value.status in (code, 0 if kind is Forbidden else code)
    assert caught.value.reason == "Why"


def test_forbidden_says_what_may_not_be_done(api: ScriptedApi, cluster: Cluster) -> None:
    words = (
        'deployments.apps is forbidden: User "jane" cannot list resource "deployments" '
        'in API group "apps" in the namespace "shop"'
    )
    api.answers(status(403, words))
    with pytest.raises(Forbidden) as caught:
        cluster.list(DEPLOYMENT, dict, "shop")
    error = caught.value
    assert (error.verb, error.resource, error.namespace) == ("list", "deployments.apps", "shop")
    assert "may list deployments.apps in the namespace shop" in error.hint


def test_a_refusal_that_is_not_rbacs_keeps_its_words(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(status(403, 'admission webhook "x" denied the request', kind="pods"))
    with pytest.raises(Forbidden, match="admission webhook") as caught:
        cluster.get(POD, "web")
    assert (caught.value.verb, caught.value.resource) == ("", "pods")


def test_a_conflict_names_field_and_manager(api: ScriptedApi, cluster: Cluster) -> None:
    cause = {
        "reason": "FieldManagerConflict",
        "field": ".spec.replicas",
        "message": 'conflict with "autoscaler" using apps/v1',
    }
    api.answers(status(404), status(409, "Apply failed", causes=[cause]))
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    with pytest.raises(Conflict) as caught:
        cluster.apply(manifest)
    assert "Deployment web" in caught.value.message
    assert '.spec.replicas ("autoscaler" using apps/v1)' in caught.value.message
    assert "--force-conflicts" in caught.value.hint


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb"])
def test_a_name_that_would_address_something_else_is_never_sent(
    api: ScriptedApi, cluster: Cluster, name: str
) -> None:
    with pytest.raises(InputError, match="no valid name"):
        cluster.delete(POD, name)
    with pytest.raises(InputError, match="no valid namespace"):
        cluster.delete(POD, "web", name or "..")
    assert api.asked == []


def test_warnings_are_told_once_each(api: ScriptedApi, tmp_path: Path) -> None:
    said: list[str] = []
    header = {"Warning": '299 - "a is old, use \\"b\\"", 299 - "c"'}
    api.answers(Answer({}, headers=header))
    options = ConnectionOptions(server=api.url)
    with connect(options, on_warning=said.append, environ={"HOME": str(tmp_path)}) as cluster:
        cluster.version()
        cluster.version()
        assert said == cluster.warnings == ['a is old, use "b"', "c"]


def test_a_redirect_is_not_followed(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer({}, 302, {"Location": "https://evil.example/"}))
    with pytest.raises(
        ClusterUnreachable, match=r"redirects GET /version to https://evil.example/"
    ):
        cluster.version()
    assert len(api.asked) == 1


def test_a_login_page_is_not_taken_for_an_answer(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer(b"<html>log in</html>", 200, {"Content-Type": "text/html"}))
    with pytest.raises(ClusterUnreachable, match="not in JSON"):
        cluster.version()
    with pytest.raises(ClusterUnreachable, match="no list"):
        cluster.list(POD, dict)


def test_a_web_servers_error_page_is_said_to_be_one(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer(b"<h1>Bad Gateway</h1>", 502, {"Content-Type": "text/html"}))
    with pytest.raises(ApiError, match="answered GET /version with 502: a web page"):
        cluster.version()
