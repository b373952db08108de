"""Images in a file: written for several tools, read with suspicion."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_builders import NAME, a_plan, a_stored_image

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.archive import Archive, is_tar, writing
from kubectl_wasmai.image.build import build
from kubectl_wasmai.image.copying import copy
from kubectl_wasmai.image.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def saved(folder: Path) -> Path:
    store, name, root = a_stored_image(folder)
    with writing(folder / "image.tar") as archive:
        copy(store, root, archive)
        archive.tag(name, root)
    return folder / "image.tar"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def test_what_was_saved_is_loaded_with_the_same_digest(tmp_path: Path) -> None:
    archive, store = Archive(saved(tmp_path)), Store(tmp_path / "other")
    ((name, root),) = archive.names().items()
    copy(archive, root, store)

    assert name == NAME
    original, _, _ = a_stored_image(tmp_path / "again")
    assert {p.name for p in (store.folder / "blobs/sha256").iterdir()} == {
        p.name for p in (original.folder / "blobs/sha256").iterdir()
    }


def test_building_into_a_file_and_saving_give_the_same_file(tmp_path: Path) -> None:
    with writing(tmp_path / "built.tar") as archive:
        build(a_plan(tmp_path / "inputs"), archive)

    built, copied = members(tmp_path / "built.tar"), members(saved(tmp_path / "s"))
    assert built == copied


def test_docker_finds_its_list_and_containerd_its_name(tmp_path: Path) -> None:
    found = members(saved(tmp_path))

    (image,) = json.loads(found["manifest.json"])
    assert image["RepoTags"] == [NAME]
    config = json.loads(found[image["Config"]])
    assert config["architecture"] == "amd64"
    assert all(layer in found for layer in image["Layers"])
    (entry,) = json.loads(found["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": NAME,
        "org.opencontainers.image.ref.name": "1",
    }


def test_a_layer_of_several_images_is_in_the_file_once(tmp_path: Path) -> None:
    store, name, root = a_stored_image(tmp_path)
    other = a_plan(tmp_path / "inputs", "registry.example.com/other:2")
    with writing(tmp_path / "two.tar") as archive:
        for reference, descriptor in ((name, root), (other.reference, build(other, store))):
            copy(store, descriptor, archive)
            archive.tag(reference, descriptor)

    with tarfile.open(tmp_path / "two.tar") as opened:
        names = opened.getnames()
    assert len(names) == len(set(names))
    assert sorted(Archive(tmp_path / "two.tar").names()) == [
        "registry.example.com/other:2",
        NAME,
    ]


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writing(tmp_path / "x.tar"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot write"), writing(tmp_path / "absent" / "x.tar"):
        pass


def test_an_existing_file_stays_whole_until_the_new_one_is(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("old")
    with pytest.raises(RuntimeError), writing(tmp_path / "x.tar"):
        raise RuntimeError
    assert (tmp_path / "x.tar").read_text() == "old"


def rewritten(path: Path, change: dict[str, bytes | None]) -> Path:
    """The same tar with other members; None takes one away."""
    found: dict[str, bytes | None] = {**members(path), **change}
    target = path.with_name("changed.tar")
    with tarfile.open(target, "w") as archive:
        for name, data in found.items():
            if data is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return target


def load(path: Path, store: Store) -> None:
    archive = Archive(path)
    for root in archive.names().values():
        copy(archive, root, store)


def test_a_changed_byte_is_refused_wherever_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for name, data in members(path).items():
        if name.startswith("blobs/"):
            changed = rewritten(path, {name: data[:-1] + bytes([data[-1] ^ 1])})
            with pytest.raises(InputError, match="other content"):
                load(changed, Store(tmp_path / "store"))


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path)
    name = next(each for each in members(path) if each.startswith("blobs/"))

    with pytest.raises(InputError, match=f"lacks sha256:{name[13:]}"):
        load(rewritten(path, {name: None}), Store(tmp_path / "store"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"index.json": None}, r"no index\.json"),
        ({"index.json": b"{"}, "no image manifest"),
        ({"index.json": b'{"manifests": [{"mediaType": "", "digest": "x", "size": 1}]}'}, "sha256"),
    ],
)
def test_an_archive_without_a_list_of_images_is_none(
    tmp_path: Path, change: dict[str, bytes | None], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        load(rewritten(saved(tmp_path), change), Store(tmp_path / "store"))


def test_links_in_an_archive_are_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path)
    blob = next(each for each in members(path) if each.startswith("blobs/"))
    changed = rewritten(path, {blob: None})
    with tarfile.open(changed, "a") as archive:
        link = tarfile.TarInfo(blob)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    with pytest.raises(InputError, match="lacks"):
        load(changed, Store(tmp_path / "store"))


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x1f\x8b gzip")

    with pytest.raises(InputError, match="no usable archive"):
        Archive(tmp_path / "x")
    with pytest.raises(InputError, match="no usable archive"):
        Archive(tmp_path / "absent")
    assert not is_tar(tmp_path / "x")
    assert not is_tar(tmp_path / "absent")
    assert is_tar(saved(tmp_path / "s"))


@settings(deadline=None)
@given(data=st.binary(max_size=2000))
def test_arbitrary_bytes_are_an_archive_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.tar"
    path.write_bytes(data)
    with pytest.raises(InputError):
        Archive(path)
