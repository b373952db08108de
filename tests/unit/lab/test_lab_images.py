"""The image tars the lab writes, and the names it reads from others' tars."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from wasmlab.errors import LabError
from wasmlab.images import test_images as images_from_module
from wasmlab.load import image_names
from wasmlab.oci import Image, read_file, write_image

if TYPE_CHECKING:
    from pathlib import Path

HELLO = Image("localhost/x/hello:1", {"/hello.wasm": b"\0asm...."}, ["/hello.wasm"])


def read(path: Path, name: str) -> Any:
    with tarfile.open(path) as archive:
        stream = archive.extractfile(name)
        assert stream is not None
        return json.load(stream)


def blob(path: Path, digest: str) -> bytes:
    with tarfile.open(path) as archive:
        stream = archive.extractfile("blobs/sha256/" + digest.removeprefix("sha256:"))
        assert stream is not None
        return stream.read()


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_image(HELLO, tmp_path / "first.tar")
    os.utime(tmp_path, (0, 0))
    second = write_image(HELLO, tmp_path / "second.tar")

    assert first.read_bytes() == second.read_bytes()


def test_every_digest_is_that_of_its_blob(tmp_path: Path) -> None:
    path = write_image(HELLO, tmp_path / "image.tar")

    descriptor = read(path, "index.json")["manifests"][0]
    manifest = json.loads(blob(path, descriptor["digest"]))
    layer = blob(path, manifest["layers"][0]["digest"])
    config = json.loads(blob(path, manifest["config"]["digest"]))
    assert manifest["layers"][0]["size"] == len(layer)
    unpacked = gzip.decompress(layer)
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(unpacked).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        assert archive.getnames() == ["hello.wasm"]


def test_the_image_is_for_linux_and_starts_its_module(tmp_path: Path) -> None:
    path = write_image(HELLO, tmp_path / "image.tar")

    descriptor = read(path, "index.json")["manifests"][0]
    assert descriptor["platform"] == {"architecture": "amd64", "os": "linux"}
    manifest = json.loads(blob(path, descriptor["digest"]))
    config = json.loads(blob(path, manifest["config"]["digest"]))
    assert config["config"]["Entrypoint"] == ["/hello.wasm"]


def test_corrupt_images_hold_a_cut_module_and_one_that_is_none() -> None:
    module = b"\0asm" + bytes(100)

    images = images_from_module(module, b"\x08wasmedge\x01")
    hello, truncated, garbage, component, compiled, newer = images

    assert hello.files["/hello.wasm"] == module
    assert truncated.files["/hello.wasm"] == module[:52]
    assert len(garbage.files["/hello.wasm"]) == len(module)
    assert not garbage.files["/hello.wasm"].startswith(b"\0asm")
    assert component.files["/hello.wasm"].startswith(b"\0asm\x0d")
    assert compiled.files["/hello.wasm"] == b"\x08wasmedge\x01"
    assert newer.files["/hello.wasm"] == b"\x08wasmedge\x02"


def test_a_file_is_read_from_an_image_that_was_written(tmp_path: Path) -> None:
    tar = write_image(HELLO, tmp_path / "image.tar")

    assert read_file(tar, "hello.wasm") == b"\0asm...."
    with pytest.raises(KeyError):
        read_file(tar, "other.wasm")


def test_the_name_of_an_oci_image_is_read(tmp_path: Path) -> None:
    assert image_names(write_image(HELLO, tmp_path / "image.tar")) == ["localhost/x/hello:1"]


def test_the_names_of_a_docker_save_tar_are_read(tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    write_tar(path, {"manifest.json": [{"RepoTags": ["app:1", "app:2"]}, {"RepoTags": None}]})

    assert image_names(path) == ["app:1", "app:2"]


def test_an_image_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nameless.tar"
    write_tar(path, {"index.json": {"manifests": [{"digest": "sha256:0"}]}})

    with pytest.raises(LabError, match="has a name"):
        image_names(path)


def test_a_file_that_is_no_tar_is_refused_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")

    with pytest.raises(LabError, match=r"notes\.txt"):
        image_names(path)


def write_tar(path: Path, files: dict[str, object]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
