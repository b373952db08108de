"""Files that a stranger made to harm: refused in a moment and in little memory, or harmless."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tarfile
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import deployment, pod, runtime_class

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot import LogKey, bounds, load
from kubectl_wasmai.snapshot.files import read_members

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
LIST = json.dumps({"kind": "List", "items": [deployment(), runtime_class()]}).encode()
"""What a friend would send."""


@contextlib.contextmanager
def quickly_and_small(seconds: float = 10, mebibytes: int = 150) -> Iterator[None]:
    tracemalloc.start()
    started = time.process_time()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.process_time() - started < seconds
    assert peak < mebibytes * MIB


class Zeros:
    """As many zeros as are asked for, without holding them."""

    def __init__(self, unit: bytes = b"\0") -> None:
        self._block = unit * (MIB // len(unit))

    def read(self, size: int = -1) -> bytes:
        return self._block[:size]


def archive(path: Path, *members: tuple[tarfile.TarInfo, Zeros | bytes | None]) -> str:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for member, content in members:
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                tar.addfile(member, content)
    return str(path)


def member(name: str, size: int = 0, type_: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, type_
    return info


def headers_only(path: Path, *headers: bytes) -> str:
    with gzip.open(path, "wb") as file:
        file.write(b"".join(headers))
    return str(path)


@pytest.mark.parametrize("name", ["pods.json", "zeros.txt", "logs/a/b/c.log"])
def test_a_file_of_ten_gigabytes_is_refused_by_its_header(tmp_path: Path, name: str) -> None:
    bomb = headers_only(tmp_path / "x.tar.gz", member(name, 10 * 1024 * MIB).tobuf())

    with quickly_and_small(), pytest.raises(InputError, match="too large"):
        load(bomb)


@pytest.mark.parametrize("unit", [b"\0", b"0,", b" ", b"["])
def test_what_grows_a_thousand_times_is_refused_while_it_grows(tmp_path: Path, unit: bytes) -> None:
    bomb = archive(tmp_path / "x.tar.gz", (member("zeros.txt", 100 * MIB), Zeros(unit)))

    with quickly_and_small(), pytest.raises(InputError, match="grows to more than"):
        load(bomb)


def test_zeros_are_no_objects(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text"):
        load(archive(tmp_path / "x.tar.gz", (member("pods.json", 10 * MIB), Zeros())))


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_name_of_gigabytes_is_refused_by_its_header(tmp_path: Path, type_: bytes) -> None:
    bomb = headers_only(
        tmp_path / "x.tar.gz", member("x", 8 * 1024 * MIB, type_).tobuf(), bytes(MIB)
    )

    with quickly_and_small(), pytest.raises(InputError, match="damaged"):
        load(bomb)


@pytest.mark.parametrize(
    "type_",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
     tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE],
)  # fmt: skip
def test_links_devices_pipes_and_files_with_holes_are_refused(tmp_path: Path, type_: bytes) -> None:
    link = member("pods.json", type_=type_)
    link.linkname = "/etc/passwd"

    with pytest.raises(InputError, match="no plain file inside the archive"):
        load(archive(tmp_path / "x.tar.gz", (link, None)))


@pytest.mark.parametrize("name", ["../pods.json", "/etc/pods.json", "a/../../pods.json", ".."])
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no plain file inside the archive"):
        load(archive(tmp_path / "x.tar.gz", (member(name), b"{}")))


def test_a_crowd_of_empty_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_MEMBERS", 100)
    crowd = [(member(f"{number}.json"), b"") for number in range(101)]

    with pytest.raises(InputError, match="100 files"):
        list(read_members(archive(tmp_path / "x.tar.gz", *crowd)))


def test_archives_in_archives_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    inner = Path(archive(tmp_path / "inner.tar.gz", (member("nodes.json"), b"{"))).read_bytes()
    outer = archive(
        tmp_path / "x.tar.gz",
        (member("inner.tar.gz"), inner),
        (member("._pods.json"), b"\0\5\26\7"),
        (member("folder", type_=tarfile.DIRTYPE), None),
        (member("all.json"), LIST),
    )

    assert set(load(outer).objects) == {"Deployment", "RuntimeClass"}


def test_names_that_are_no_utf8_can_be_printed(tmp_path: Path) -> None:
    log = member("logs/default/web-\udcff/main.log")
    path = archive(tmp_path / "x.tar.gz", (member("all.json"), LIST), (log, b"\xff\x1b[2J"))

    (key,) = load(path).logs
    assert key == LogKey("default", "web-\N{REPLACEMENT CHARACTER}", "main")


@pytest.mark.parametrize("cut", [1, 20, 100, -9])
def test_a_half_written_archive_is_called_damaged(tmp_path: Path, cut: int) -> None:
    whole = Path(archive(tmp_path / "whole.tar.gz", (member("all.json"), LIST * 50))).read_bytes()
    half = tmp_path / "half.tar.gz"
    half.write_bytes(whole[:cut])

    with pytest.raises(InputError, match=r"damaged|no text|not readable"):
        load(str(half))


def test_one_wrong_bit_is_noticed(tmp_path: Path) -> None:
    path = Path(archive(tmp_path / "x.tar.gz", (member("all.json"), LIST)))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the checksum
    path.write_bytes(content)

    with pytest.raises(InputError, match="damaged"):
        load(str(path))


def test_a_tar_without_gzip_and_one_in_a_folder_are_read_too(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, content in (("snap/all.json", LIST), ("snap/logs/a/b/c.log", b"hello")):
            info = member(name, len(content))
            tar.addfile(info, io.BytesIO(content))

    snapshot = load(str(tmp_path / "x.tar"))

    assert snapshot.has("Deployment")
    assert snapshot.logs == {LogKey("a", "b", "c"): "hello"}


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.write(b"{")
        file.truncate(2 * 1024 * MIB)

    for source in (tmp_path / "huge.json", tmp_path):
        with quickly_and_small(1, 5), pytest.raises(InputError, match="too large"):
            load(str(source))


def test_a_device_is_no_snapshot() -> None:
    for device in ("/dev/zero", "/dev/null", "/dev/tty"):
        with quickly_and_small(1, 5), pytest.raises(InputError, match="cannot read"):
            load(device)


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="empty"):
        load(str(tmp_path / "pipe"))


def test_a_pipe_that_somebody_writes_to_is_read() -> None:
    """As bash makes it of ``--from <(kubectl get deployments -o json)``."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(LIST)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert load(f"/dev/fd/{reader}").has("Deployment")
    finally:
        thread.join()
        os.close(reader)


def test_links_and_pipes_in_a_directory_are_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_bytes(LIST)
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")

    unreadable = load(str(tmp_path)).info.collection.unreadable

    assert [(each.object, each.reason) for each in unreadable] == [
        ("link.json", "a link"),
        ("loop.json", "a link"),
        ("pipe.json", "no plain file"),
    ]


@pytest.fixture
def stranger_s_folder() -> Iterator[Path]:
    """A folder that anybody may enter, seen as somebody without special rights."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)


def test_files_and_folders_that_may_not_be_read_are_named(stranger_s_folder: Path) -> None:
    (stranger_s_folder / "all.json").write_bytes(LIST)
    (stranger_s_folder / "pods.json").write_bytes(b"{}")
    (stranger_s_folder / "pods.json").chmod(0)
    (stranger_s_folder / "logs").mkdir(0)
    if os.geteuid() == 0:
        os.seteuid(65534)

    snapshot = load(str(stranger_s_folder))

    assert snapshot.has("Deployment")
    told = {each.object: each.reason for each in snapshot.info.collection.unreadable}
    assert told == {"pods.json": "permission denied", "logs": "permission denied"}


def test_what_powershell_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(LIST.decode().encode("utf-16"))
    assert load(str(tmp_path)).has("Deployment")
    assert load(str(tmp_path / "x.json")).has("Deployment")


@pytest.mark.parametrize("line", [b"a line of a log, and not a short one: " + b"x" * 300, b"a"])
def test_the_end_of_a_huge_log_is_judged_and_that_is_said(tmp_path: Path, line: bytes) -> None:
    folder = tmp_path / "logs" / "default" / "web"
    folder.mkdir(parents=True)
    (folder / "main.log").write_bytes(b"first\n" + (line + b"\n") * 10_000 + b"last\n")
    (tmp_path / "all.json").write_bytes(LIST)

    snapshot = load(str(tmp_path))

    (log,) = snapshot.logs.values()
    assert log.startswith(line.decode() + "\n")
    assert len(log.splitlines()) <= 5000
    assert log.endswith("last\n")
    (told,) = snapshot.info.collection.unreadable
    assert told.object == "logs/default/web/main.log"


NUMBERS = "9" * 5000
YAML = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "merges": "a: &a {k: v}\n"
    + "".join(
        f"{new}: &{new} {{<<: [{','.join(['*' + old] * 9)}]}}\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "itself": "kind: List\nitems: &a [*a]\n",
    "python": "!!python/object/apply:os.system [touch /tmp/owned]\n",
    "foreign tag": "!mine {a: b}\n",
    "bad bool": "a: !!bool maybe\n",
    "bad time": "a: !!timestamp 2001-99-01\n",
    "digits": f"a: {NUMBERS}\n",
    "hex digits": f"a: 0x{NUMBERS}\n",
    "deep": "[" * 50_000,
    "deep blocks": "- " * 50_000,
    "unhashable": "? {a: b}\n: c\n",
    "surrogate": '"\\ud800"\n',
    "binary": "a: \x01\n",
}


@pytest.mark.parametrize("content", YAML.values(), ids=YAML)
def test_yaml_that_multiplies_runs_or_breaks_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.yaml").write_text(content)

    with quickly_and_small(5, 50), pytest.raises(InputError, match=r"x\.yaml in the snapshot"):
        load(str(tmp_path))


def test_yaml_with_ordinary_anchors_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        "kind: Pod\nmetadata: {name: a, labels: &l {app: x}}\n---\n"
        "kind: Pod\nmetadata: {name: b, labels: &l {app: y}, annotations: *l}\n"
    )

    one, other = load(str(tmp_path)).pods
    assert (one.labels, other.metadata.annotations) == ({"app": "x"}, {"app": "y"})


JSON = {
    "NaN": b'{"kind": "Pod", "spec": {"x": NaN}}',
    "Infinity": b"[Infinity]",
    "surrogate": b'{"kind": "\\ud800"}',
    "not utf-8": b'{"kind": "\xff"}',
    "deep": b'{"a":' * 100_000,
    "digits": b"[" + NUMBERS.encode() + b"]",
    "half": LIST[:-5],
    "twice": LIST + LIST,
}


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)

    with quickly_and_small(5, 50), pytest.raises(InputError, match=r"x\.json in the snapshot"):
        load(str(tmp_path))


def test_of_a_key_that_stands_twice_the_last_counts_and_of_an_object_too(tmp_path: Path) -> None:
    first, last = pod("a", node="old"), pod("a", node="new")
    text = json.dumps({"kind": "List", "items": [first, last]})
    (tmp_path / "x.json").write_text(text.replace('"kind": "List"', '"kind": "X", "kind": "List"'))

    (found,) = load(str(tmp_path)).pods
    assert found.spec.node_name == "new"
