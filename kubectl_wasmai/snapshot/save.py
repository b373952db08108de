"""Writes a snapshot in the layout that ``load`` reads: a List for each kind, logs, metrics."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot.load import INFO_FILE, VERSION_FILE
from kubectl_wasmai.snapshot.redact import Redactor, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.resources import Resource
    from kubectl_wasmai.snapshot.collect import Collected
    from kubectl_wasmai.snapshot.model import LogKey, SnapshotInfo


Member = tuple[str, Iterable[bytes]]
"""Relative path and content of one file, the latter in pieces."""

_IN_MEMORY = 1 << 23


def members(collected: Collected, *, redact: bool = True) -> Iterator[Member]:
    """Every file of the snapshot, in a fixed order."""
    snapshot = collected.snapshot
    clean: Any = Redactor().object if redact else _keep
    yield INFO_FILE, [_info(snapshot.info)]
    version = {"serverVersion": {"gitVersion": snapshot.info.server_version}}
    yield VERSION_FILE, [_json(version) + b"\n"]
    for kind, objects in sorted(collected.whole.items()):
        yield f"{BY_KIND[kind].listed_as}.json", _list(BY_KIND[kind], map(clean, objects))
    for key, text in sorted(snapshot.logs.items()):
        yield log_path(key), [(redact_text(text) if redact else text).encode()]
    for told_by, text in sorted(snapshot.metrics.items()):
        path = f"metrics/{told_by.namespace}/{told_by.pod}.prom"
        yield path, [(redact_text(text) if redact else text).encode()]


def _list(resource: Resource, items: Iterable[Any]) -> Iterator[bytes]:
    """Piece by piece: the pods of a big cluster are more text than fits into memory."""
    head = {"apiVersion": resource.api_version, "kind": f"{resource.kind}List", "items": []}
    yield _json(head).removesuffix(b"[]\n}") + b"["
    for number, item in enumerate(items):
        yield (b"," if number else b"") + b"\n" + _json(item)
    yield b"\n]\n}\n"


def log_path(key: LogKey) -> str:
    suffix = ".previous.log" if key.previous else ".log"
    return f"logs/{key.namespace}/{key.pod}/{key.container}{suffix}"


def write(target: Path, files: Iterable[Member]) -> None:
    """To ``NAME.tar.gz`` or ``NAME.tgz``, else to a directory; whole or not at all.

    Raises ``InputError`` where the target exists already or cannot be written.
    """
    if target.exists():
        raise InputError(f"{target} exists already", "choose another name, or remove it first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.name.endswith((".tar.gz", ".tgz")):
            _write_archive(target, files)
        else:
            _write_directory(target, files)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error


def _write_archive(target: Path, files: Iterable[Member]) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        # mtime=0: the same snapshot gives the same bytes.
        with os.fdopen(descriptor, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
            archive = tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
            with archive:
                for name, pieces in files:
                    _add(archive, name, pieces)
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, pieces: Iterable[bytes]) -> None:
    """An archive tells a file's size before its content."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as content:
        content.writelines(pieces)
        member = tarfile.TarInfo(name)
        member.size, member.mode = content.tell(), 0o644
        content.seek(0)
        archive.addfile(member, content)


def _write_directory(target: Path, files: Iterable[Member]) -> None:
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, pieces in files:
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(pieces)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _info(info: SnapshotInfo) -> bytes:
    return _json({"apiVersion": "wasmai.dev/v1", "kind": "SnapshotInfo", "info": info}) + b"\n"


def _json(document: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _keep(value: Any) -> Any:
    return value
