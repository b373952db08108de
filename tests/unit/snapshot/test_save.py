from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import deployment, pod, runtime_class, snapshot, whole_objects

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.report.documents import as_json
from kubectl_wasmai.snapshot import load
from kubectl_wasmai.snapshot.collect import Collected
from kubectl_wasmai.snapshot.difference import difference
from kubectl_wasmai.snapshot.objects import TYPES
from kubectl_wasmai.snapshot.save import members, write

if TYPE_CHECKING:
    from pathlib import Path


def collected(*objects: dict[str, Any]) -> Collected:
    whole: dict[str, list[dict[str, Any]]] = {kind: [] for kind in TYPES}
    for each in objects:
        whole[each["kind"]].append(each)
    log = {("web-5d9-x", "main"): "2026-01-01T11:00:00Z token=abc [error] x\n"}
    texts = {kind: whole_objects(kind, items) for kind, items in whole.items()}
    return Collected(snapshot(*objects, logs=log), texts)


@pytest.mark.parametrize("name", ["saved.tar.gz", "saved"])
def test_a_saved_snapshot_gives_the_same_report_byte_for_byte(tmp_path: Path, name: str) -> None:
    web = deployment()
    saved = collected(web, pod(owner=web, ready=False), runtime_class())
    write(tmp_path / name, members(saved))

    replayed = load(str(tmp_path / name))

    assert as_json(examine(replayed)) == as_json(examine(saved.snapshot))


def test_the_same_snapshot_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b.tar.gz"):
        write(tmp_path / name, members(collected(deployment())))

    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_logs_are_redacted_unless_told_otherwise() -> None:
    files = {name: b"".join(pieces) for name, pieces in members(collected(deployment()))}
    whole = members(collected(deployment()), redact=False)
    kept = {name: b"".join(pieces) for name, pieces in whole}

    path = "logs/default/web-5d9-x/main.log"
    assert b"abc" not in files[path]
    assert b"abc" in kept[path]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "mine.tar.gz"
    target.write_text("precious")

    with pytest.raises(InputError, match="exists already"):
        write(target, members(collected(deployment())))

    assert target.read_text() == "precious"


@pytest.mark.parametrize("name", ["x.tar.gz", "x"])
def test_a_failed_save_leaves_no_half_file(tmp_path: Path, name: str) -> None:
    def breaks() -> Any:
        yield "pods.json", [b"{}"]
        raise OSError("disk full")

    with pytest.raises(InputError, match="cannot write"):
        write(tmp_path / name, breaks())

    assert list(tmp_path.iterdir()) == []


def test_a_difference_names_what_came_went_and_changed() -> None:
    before = snapshot(deployment("a"), deployment("b", replicas=1))
    after = snapshot(deployment("b", replicas=3), deployment("c"))

    lines = difference(before, after)

    assert "- Deployment default/a" in lines
    assert "+ Deployment default/c" in lines
    assert "~ Deployment default/b spec.replicas: 1 -> 3" in lines


def test_two_equal_snapshots_do_not_differ() -> None:
    assert difference(snapshot(deployment()), snapshot(deployment())) == []
