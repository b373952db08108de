"""Writing a container image as an OCI layout tar, the same bytes for the same content.

Enough for images of one layer made FROM scratch; containerd imports the result.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Image:
    """An image: its full name with tag, its files by absolute path, and what it starts."""

    name: str
    files: Mapping[str, bytes]
    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    architecture: str = "amd64"


def write_image(image: Image, path: Path) -> Path:
    """Write the image as a tar; times, owners and order are fixed, so the digests are too."""
    layer_tar = _tar({name.lstrip("/"): data for name, data in image.files.items()}, mode=0o755)
    layer = gzip.compress(layer_tar, mtime=0)
    config = _json(
        {
            "architecture": image.architecture,
            "os": "linux",
            "config": {"Entrypoint": list(image.entrypoint), "Cmd": list(image.command)},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer_tar)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor(f"{_OCI}.config.v1+json", config),
            "layers": [_descriptor(f"{_OCI}.layer.v1.tar+gzip", layer)],
        }
    )
    named = _descriptor(f"{_OCI}.manifest.v1+json", manifest) | {
        "annotations": {
            # containerd reads the first; other tools read the tag from the second.
            "io.containerd.image.name": image.name,
            "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
        },
        "platform": {"architecture": image.architecture, "os": "linux"},
    }
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [named]}
    files = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(index),
    }
    for blob in (layer, config, manifest):
        files["blobs/sha256/" + hashlib.sha256(blob).hexdigest()] = blob
    path.write_bytes(_tar(files, mode=0o644))
    return path


def read_file(path: Path, name: str) -> bytes:
    """One file of an image that `write_image` wrote; KeyError where it has none of that name."""
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            content = stream.read() if stream else b""
            if content.startswith(b"\x1f\x8b"):
                layer = io.BytesIO(gzip.decompress(content))
                with tarfile.open(fileobj=layer) as files:
                    found = files.extractfile(name)
                    return found.read() if found else b""
    raise KeyError(name)


def _tar(files: Mapping[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = mode
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}
