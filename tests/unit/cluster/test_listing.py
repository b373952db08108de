from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from scripted_api import Answer, Asked, ScriptedApi

from kubectl_wasmai.errors import ClusterUnreachable, Gone
from kubectl_wasmai.resources import POD

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster


class Meta(msgspec.Struct):
    name: str


class Named(msgspec.Struct):
    metadata: Meta


def pod(name: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}}


def page(*names: Any, token: str = "", version: str = "7") -> Answer:
    metadata = {"resourceVersion": version, "continue": token}
    return Answer({"metadata": metadata, "items": [pod(name) for name in names]})


EXPIRED = Answer({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}, 410)


def test_pages_are_followed_to_the_end(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(page("a", "b", token="t1"), page("c", token="t2"), page("d"))
    found = cluster.list(POD, Named, "shop", label_selector="a=b,c", limit=2)
    assert [item.metadata.name for item in found.items] == ["a", "b", "c", "d"]
    assert found.resource_version == "7"
    assert [asked.query.get("continue") for asked in api.asked] == [None, "t1", "t2"]
    assert {asked.query["limit"] for asked in api.asked} == {"2"}
    assert {asked.query["labelSelector"] for asked in api.asked} == {"a=b,c"}
    assert api.asked[0].path == "/api/v1/namespaces/shop/pods"


def test_no_namespace_means_all_namespaces(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(page())
    assert cluster.list(POD, Named).items == ()
    assert cluster.list(POD, Named, "").items == ()
    assert {asked.path for asked in api.asked} == {"/api/v1/pods"}


def test_one_oddly_typed_object_does_not_spoil_the_others(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(page("a", 5, "c"))
    api.answers(
        Answer(
            {
                "metadata": {},
                "items": [pod("a"), {"metadata": {"name": "b", "namespace": None}}, pod(5), 7],
            }
        )
    )
    found = cluster.list(POD, Named)
    assert [item.metadata.name for item in found.items] == ["a", "b"]
    names, reasons = zip(*found.undecodable, strict=True)
    assert set(names) == {"(no name)"}
    assert "metadata.name: Expected `str`, got `int`" in reasons


def test_an_odd_field_is_named_and_does_not_hide_its_object(
    api: ScriptedApi, cluster: Cluster
) -> None:
    class Ready(msgspec.Struct):
        ready: bool = False

    broken = {**pod("b"), "ready": "yes"}
    api.answers(Answer({"metadata": {}, "items": [{**pod("a"), "ready": True}, broken]}))
    found = cluster.list(POD, Ready)
    assert [each.ready for each in found.items] == [True, False]
    assert found.undecodable == (("shop/b", "ready: Expected `bool`, got `str`"),)


def test_an_expired_page_token_starts_again_without_pages(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(page("a", token="t1"), EXPIRED, page("a", "b", "c"))
    found = cluster.list(POD, Named, limit=1)
    assert [item.metadata.name for item in found.items] == ["a", "b", "c"]
    assert "limit" not in api.asked[-1].query
    assert "continue" not in api.asked[-1].query


def test_a_list_that_keeps_expiring_is_an_error(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(EXPIRED)
    with pytest.raises(Gone):
        cluster.list(POD, Named)
    assert len(api.asked) == 2


def test_a_reset_in_the_middle_of_a_page_yields_no_list(api: ScriptedApi, cluster: Cluster) -> None:
    half = page("b", token="")
    half.torn = True
    api.answers(page("a", token="t1"), half)
    with pytest.raises(ClusterUnreachable, match="before its answer was whole"):
        cluster.list(POD, Named, limit=1)


def test_an_answer_that_broke_off_is_asked_for_again_from_the_start(
    api: ScriptedApi, cluster: Cluster
) -> None:
    half = page("b", token="")
    half.torn = True
    api.answers(page("a", token="t1"), half, page("a", token="t2"), page("b", "c"))
    found = cluster.list(POD, Named, limit=1)
    assert [item.metadata.name for item in found.items] == ["a", "b", "c"]
    assert "continue" not in api.asked[2].query


def test_a_failing_second_page_yields_no_list(api: ScriptedApi, cluster: Cluster) -> None:
    def script(asked: Asked) -> Answer:
        if "continue" in asked.query:
            return Answer({"kind": "Status", "code": 403, "message": "no"}, 403)
        return page("a", token="t1")

    api.script = script
    with pytest.raises(Exception, match="no"):
        cluster.list(POD, Named)


def test_a_list_without_items_is_empty(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer({"metadata": {}, "items": None}))
    assert cluster.list(POD, dict).items == ()
