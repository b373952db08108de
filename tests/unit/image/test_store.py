"""The local store: whole blobs only, shared, and thrown away when nobody needs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from image_builders import a_plan, a_stored_image

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.build import build
from kubectl_wasmai.image.content import PIECE, Bytes
from kubectl_wasmai.image.oci import Descriptor, digest_of
from kubectl_wasmai.image.reference import parse_reference
from kubectl_wasmai.image.store import Store, store_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WASMAI_IMAGES", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store_folder() == tmp_path / "kubectl-wasmai" / "images"
    monkeypatch.setenv("WASMAI_IMAGES", str(tmp_path / "x"))
    assert store_folder() == tmp_path / "x"


def test_an_empty_store_makes_nothing_when_it_is_only_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    assert store.names() == {}
    assert store.find(parse_reference("r.io/a:1")) is None
    assert not store.folder.exists()


def test_an_image_is_found_by_tag_and_by_digest(tmp_path: Path) -> None:
    store, name, root = a_stored_image(tmp_path)

    for reference in (name, name.at(root.digest)):
        found = store.find(reference)
        assert found
        assert found.digest == root.digest
    assert store.find(parse_reference("registry.example.com/team/other:1")) is None


def test_the_store_is_an_oci_layout(tmp_path: Path) -> None:
    store, name, _ = a_stored_image(tmp_path)

    assert json.loads((store.folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((store.folder / "index.json").read_text())["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == str(name)
    for blob in (store.folder / "blobs" / "sha256").iterdir():
        assert digest_of(blob.read_bytes()) == f"sha256:{blob.name}"


def test_a_blob_that_is_not_what_was_announced_is_refused_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)

    with pytest.raises(InputError, match="has other content"):
        store.add(Bytes(b"abc"), None, digest_of(b"abd"))
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "oci-layout"] == []


def test_holes_in_a_file_stay_holes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.add(Bytes(b"x" + bytes(8 * PIECE)))
    path = tmp_path / "blobs" / "sha256" / digest[7:]

    assert path.stat().st_size == 8 * PIECE + 1
    assert digest_of(path.read_bytes()) == digest


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)

    with pytest.raises(InputError, match="lacks sha256:"):
        store.content(Descriptor("", digest_of(b"x"), 1))


def test_images_share_what_they_have_in_common_and_rm_keeps_it(tmp_path: Path) -> None:
    store, name, _ = a_stored_image(tmp_path)
    build(a_plan(tmp_path / "inputs", "registry.example.com/other:2"), store)
    blobs = store.folder / "blobs" / "sha256"
    before = set(blobs.iterdir())

    assert store.untag(name)
    assert store.collect_garbage() == 0
    assert set(blobs.iterdir()) == before
    assert store.untag(parse_reference("registry.example.com/other:2"))
    assert store.collect_garbage()
    assert list(blobs.iterdir()) == []
    assert not store.untag(name)


def test_a_name_moves_to_the_image_that_was_built_last(tmp_path: Path) -> None:
    store, name, first = a_stored_image(tmp_path)
    second = build(a_plan(tmp_path / "inputs", str(name), alone=True), store)

    found = store.find(name)
    assert found
    assert found.digest == second.digest != first.digest
    assert len(store.names()) == 1


def test_nothing_is_thrown_away_while_another_process_adds(tmp_path: Path) -> None:
    store, name, _ = a_stored_image(tmp_path)
    store.untag(name)
    hold = (
        "import sys; from pathlib import Path; from kubectl_wasmai.image.store import Store\n"
        "with Store(Path(sys.argv[1])).adding(): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert store.collect_garbage() is None
        other.communicate("")

    assert store.collect_garbage()


def test_old_beginnings_of_downloads_go_new_ones_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, new = (store.partial_file(digest_of(each)) for each in (b"old", b"new"))
    old.write_bytes(b"o")
    new.write_bytes(b"n")
    os.utime(old, (0, 0))

    assert store.collect_garbage() == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_a_broken_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{")

    with pytest.raises(InputError, match="no image manifest"):
        Store(tmp_path).names()


def test_a_place_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot store images") as refused:
        Store(tmp_path / "file" / "store").add(Bytes(b"x"))
    assert "WASMAI_IMAGES" in refused.value.hint
