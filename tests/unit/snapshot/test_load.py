from __future__ import annotations

import io
import json
import tarfile
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from builders import deployment, meta, pod, runtime_class
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot import LogKey, MetricsKey, load
from kubectl_wasmai.snapshot.objects import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def archive(path: Path, *members: tarfile.TarInfo, content: bytes = b"{}") -> str:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return str(path)


def as_list(*items: dict[str, Any], kind: str = "List") -> str:
    return json.dumps({"kind": kind, "apiVersion": "v1", "items": list(items)})


def test_lists_of_one_kind_mixed_lists_and_single_objects_may_stand_side_by_side(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.json").write_text(as_list(deployment(), runtime_class()))
    (tmp_path / "b.json").write_text(as_list({"metadata": meta("web-1")}, kind="PodList"))
    (tmp_path / "c.yaml").write_text("kind: Node\nmetadata: {name: n1}\n---\nkind: NodeList\n")

    snapshot = load(str(tmp_path))

    assert [each.name for each in snapshot.pods] == ["web-1"]
    assert [each.name for each in snapshot.nodes] == ["n1"]
    assert set(snapshot.runtime_classes) == {"wasm"}


def test_a_kind_that_does_not_occur_is_missing_and_an_empty_list_of_it_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "pods.json").write_text(as_list(kind="PodList"))

    snapshot = load(str(tmp_path))

    assert snapshot.has("Pod")
    assert not snapshot.has("RuntimeClass")
    assert "RuntimeClass" in snapshot.info.collection.missing


def test_time_is_the_newest_time_found_and_never_the_clock(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(
        as_list({**pod(created="2020-05-05T05:05:05Z"), "until": "2099-01-01T00:00:00Z"})
    )
    logs = tmp_path / "logs" / "default" / "web-5d9-x"
    logs.mkdir(parents=True)
    (logs / "main.log").write_text(
        "2026-02-02T02:02:02.000000000Z valid until 2099-01-01T00:00:00Z\n"
    )

    assert load(str(tmp_path)).info.taken_at == datetime(2026, 2, 2, 2, 2, 2, tzinfo=timezone.utc)


def test_logs_are_found_by_their_path_present_and_previous(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "ns" / "p"
    folder.mkdir(parents=True)
    (folder / "c.log").write_bytes(b"now \xff\xfe")
    (folder / "c.previous.log").write_text("before")
    (tmp_path / "pods.json").write_text(as_list(kind="PodList"))

    logs = load(str(tmp_path)).logs

    assert logs[LogKey("ns", "p", "c", previous=True)] == "before"
    assert logs[LogKey("ns", "p", "c")].startswith("now ")


def test_an_oddly_typed_object_does_not_hide_the_others(tmp_path: Path) -> None:
    odd = {**pod("odd"), "status": 7}
    (tmp_path / "x.json").write_text(as_list(odd, pod("even")))

    snapshot = load(str(tmp_path))

    assert [each.name for each in snapshot.pods] == ["even", "odd"]
    (told,) = snapshot.info.collection.unreadable
    assert told.object == "Pod default/odd in x.json"
    assert told.reason == "status: Expected `object`, got `int`"


def test_what_was_not_understood_makes_an_answer_unknown_and_stops_no_other(tmp_path: Path) -> None:
    web = deployment()
    odd = {**pod("odd", owner=web), "status": 7}
    (tmp_path / "x.json").write_text(as_list(web, odd, pod("even", owner=web), runtime_class()))

    report = examine(load(str(tmp_path)))

    told = [each for each in report.checks if "Pod default/odd in x.json" in each.reason]
    assert {each.status.value for each in told} == {"UNKNOWN"}
    assert "pod-running" in {each.id for each in told}
    assert report.strict_exit_code != 0
    assert {each.status.value for each in report.checks if each.id == "runtimeclass-exists"} == {
        "PASS"
    }


@pytest.mark.parametrize("kind", TYPES)
def test_every_time_has_a_zone_or_is_left_out(kind: str) -> None:
    """A time without one cannot be compared with another: that would be a crash in some check."""

    def zones(type_: msgspec.inspect.Type, met: set[type]) -> Iterator[bool | None]:
        if isinstance(type_, msgspec.inspect.StructType) and type_.cls not in met:
            met.add(type_.cls)
            for each in type_.fields:
                yield from zones(each.type, met)
        elif isinstance(type_, msgspec.inspect.UnionType):
            for each_type in type_.types:
                yield from zones(each_type, met)
        elif isinstance(type_, msgspec.inspect.ListType):
            yield from zones(type_.item_type, met)
        elif isinstance(type_, msgspec.inspect.DateTimeType):
            yield type_.tz

    assert set(zones(msgspec.inspect.type_info(TYPES[kind]), set())) <= {True}


def test_what_was_odd_when_it_was_saved_is_told_once(tmp_path: Path) -> None:
    told = {"object": "Pod default/odd", "reason": "status: Expected `object`, got `int`"}
    info = {"takenAt": "2026-01-01T00:00:00Z", "collection": {"unreadable": [told]}}
    (tmp_path / "snapshot.json").write_text(json.dumps({"info": info}))
    (tmp_path / "x.json").write_text(as_list({**pod("odd"), "status": 7}, {**pod("b"), "spec": 1}))

    unreadable = load(str(tmp_path)).info.collection.unreadable

    assert [each.object for each in unreadable] == ["Pod default/odd", "Pod default/b in x.json"]


@pytest.mark.parametrize("name", ["storageclasses.json", "pods.metrics.k8s.io.json", "nodes.yaml"])
def test_a_list_of_nothing_is_of_what_its_file_is_called(tmp_path: Path, name: str) -> None:
    """`kubectl get storageclasses -o json` prints a List that does not say of what."""
    (tmp_path / name).write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": []}))
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": [runtime_class()]}))

    missing = load(str(tmp_path)).info.collection.missing

    kinds = {"storageclasses": "StorageClass", "pods": "PodMetrics", "nodes": "Node"}
    assert kinds[name.partition(".")[0]] not in missing
    assert "Deployment" in missing


def test_a_list_that_is_called_as_our_own_file_is_a_list(tmp_path: Path) -> None:
    items = [pod("web"), runtime_class()]
    (tmp_path / "snapshot.json").write_text(json.dumps({"kind": "List", "items": items}))

    assert [each.name for each in load(str(tmp_path)).pods] == ["web"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("half.json", b'{"kind": "PodList", "items": [', "half"),
        ("number.json", b"12", "expected a Kubernetes object"),
        ("bad.yaml", b"a: [", "not readable"),
        ("latin.json", b'{"kind": "P\xff"}', "not readable"),
        ("empty.json", b"", "not readable"),
        ("deep.json", b"[" * 100_000, "not readable"),
    ],
)
def test_unreadable_members_are_named_with_a_hint(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError) as caught:
        load(str(tmp_path))

    assert name in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_a_path_that_does_not_exist_is_said_plainly() -> None:
    with pytest.raises(InputError, match="no such file"):
        load("/nowhere/at-all")


def test_links_and_paths_that_leave_an_archive_are_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("pods.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for number, member in enumerate(
        (link, tarfile.TarInfo("../pods.json"), tarfile.TarInfo("/pods.json"))
    ):
        with pytest.raises(InputError, match="no plain file inside the archive"):
            load(archive(tmp_path / f"{number}.tar.gz", member))


def test_an_archive_that_claims_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.tar.gz"
    member = tarfile.TarInfo("pods.json")
    member.size = 10 * 2**30
    import gzip

    with gzip.open(huge, "wb") as file:
        file.write(member.tobuf())

    with pytest.raises(InputError, match="too large"):
        load(str(huge))


def test_a_half_written_archive_is_called_damaged(tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    archive(whole, tarfile.TarInfo("pods.json"), content=as_list(kind="PodList").encode())
    half = tmp_path / "half.tar.gz"
    half.write_bytes(whole.read_bytes()[:60])

    with pytest.raises(InputError, match="damaged"):
        load(str(half))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "spec", "status", "containers", "kind", "items", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(spec=json_values, status=json_values, metadata=json_values)
def test_whatever_an_object_holds_the_doctor_answers_or_says_what_is_unreadable(
    tmp_path_factory: pytest.TempPathFactory, spec: Any, status: Any, metadata: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    odd = {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    (folder / "x.json").write_text(as_list(odd, deployment(), runtime_class()))

    report = examine(load(str(folder)))

    assert report.summary.verdict


def test_metrics_are_found_by_their_path(tmp_path: Path) -> None:
    folder = tmp_path / "metrics" / "gpus"
    folder.mkdir(parents=True)
    (folder / "exporter-1.prom").write_bytes(b"DCGM_FI_DEV_GPU_UTIL 7\n")
    (tmp_path / "stray.prom").write_text("nobody's")
    (tmp_path / "pods.json").write_text(as_list(kind="PodList"))

    metrics = load(str(tmp_path)).metrics

    assert metrics == {MetricsKey("gpus", "exporter-1"): "DCGM_FI_DEV_GPU_UTIL 7\n"}


def test_a_kind_of_the_same_name_in_another_group_is_somebody_else_s(tmp_path: Path) -> None:
    def policy(group: str) -> dict[str, Any]:
        return {"apiVersion": f"{group}/v1", "kind": "ClusterPolicy", "metadata": {"name": group}}

    whole = as_list(policy("kyverno.io"), policy("nvidia.com"))
    (tmp_path / "all.json").write_text(whole)
    empty = json.loads(as_list(kind="DeviceConfigList"))
    (tmp_path / "other.json").write_text(json.dumps({**empty, "apiVersion": "amd.io/v1alpha1"}))

    snapshot = load(str(tmp_path))

    assert [each.name for each in snapshot.objects["ClusterPolicy"]] == ["nvidia.com"]
    assert not snapshot.has("DeviceConfig")


@pytest.mark.parametrize("kind", [["Pod"], {"a": 1}, 7, None])
def test_a_kind_that_is_no_word_is_passed_over(tmp_path: Path, kind: Any) -> None:
    (tmp_path / "a.json").write_text(as_list({"kind": kind, "metadata": {}}, deployment()))

    assert [each.name for each in load(str(tmp_path)).objects["Deployment"]] == ["web"]
