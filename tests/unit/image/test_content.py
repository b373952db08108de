"""Content in pieces, and tars that are the same everywhere."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.content import (
    Bytes,
    Content,
    FilePart,
    Hashing,
    Joined,
    Member,
    Slice,
    digest_content,
    read_all,
    tar,
)
from kubectl_wasmai.image.oci import digest_of


def whole(content: Content, start: int = 0) -> bytes:
    return b"".join(content.pieces(start))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=5), st.data())
def test_parts_of_joined_content_are_parts_of_its_bytes(
    parts: list[bytes], data: st.DataObject
) -> None:
    joined = Joined([Bytes(part) for part in parts])
    expected = b"".join(parts)
    start = data.draw(st.integers(0, len(expected)))
    count = data.draw(st.integers(0, len(expected) - start))

    assert joined.size == len(expected)
    assert whole(joined, start) == expected[start:]
    assert whole(Slice(joined, start, count)) == expected[start : start + count]
    assert whole(Slice(joined, start, count), count // 2) == expected[start:][count // 2 : count]


def test_a_part_of_a_file_is_read_in_place(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")

    assert whole(FilePart(tmp_path / "f", 4, 3)) == b"3456"
    assert whole(FilePart(tmp_path / "f", 4, 3), 2) == b"56"


def test_a_file_that_shrinks_meanwhile_is_no_silent_zero(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123")

    with pytest.raises(InputError, match="became shorter"):
        whole(FilePart(tmp_path / "f", 5))
    with pytest.raises(InputError, match="No such file"):
        whole(FilePart(tmp_path / "absent", 5))


def test_a_tar_is_read_by_others() -> None:
    content = tar([Member("/models/a/m.onnx", Bytes(b"model")), Member("e.wasm", Bytes(b""), True)])
    with tarfile.open(fileobj=io.BytesIO(whole(content))) as archive:
        members = archive.getmembers()
        model = archive.extractfile("models/a/m.onnx")

        assert model
        assert model.read() == b"model"
    assert [(one.name, one.mode, one.isdir()) for one in members] == [
        ("models", 0o755, True),
        ("models/a", 0o755, True),
        ("models/a/m.onnx", 0o644, False),
        ("e.wasm", 0o755, False),
    ]
    assert {(one.uid, one.gid, one.mtime, one.uname) for one in members} == {(0, 0, 0, "")}
    assert content.size == len(whole(content))


def test_the_bytes_of_a_tar_are_for_ever(tmp_path: Path) -> None:
    """A changed digest means that every image that was ever built is another one now."""
    (tmp_path / "f").write_bytes(bytes(range(256)) * 10)
    os.utime(tmp_path / "f", (1, 1))
    names = ("models/m.onnx", "models/" + "n" * 200 + ".onnx", "models/ü.onnx")
    content = tar([Member(name, FilePart(tmp_path / "f", 2560)) for name in names])

    assert digest_content(content) == (
        "sha256:974a631af4692835d49faa58c1f4b213970438c7c3bb798e9fce3f8eba6a57bb"
    )


def test_files_above_8_gigabytes_have_their_true_size() -> None:
    size = 9 << 30
    header = next(tar([Member("big", FilePart(Path("absent"), size))]).pieces())
    archive = tarfile.open(fileobj=io.BytesIO(header + bytes(1024)))  # noqa: SIM115 - it is cut off

    member = archive.next()
    assert member
    assert member.size == size


def test_content_may_learn_its_digest_on_its_way() -> None:
    content = Hashing(Bytes(b"abc"))

    assert whole(content) == b"abc"
    assert content.digest == digest_of(b"abc")


def test_small_things_are_not_read_when_they_are_large() -> None:
    with pytest.raises(InputError, match="at most 2"):
        read_all(Bytes(b"abc"), 2)
