"""Puts images into the lab's registry that no tool of the lab can push: other platforms, artifacts.

Runs as a program inside the lab's network (``python3 put_image.py NAME KIND``), with the standard
library alone.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import sys
import tarfile
from typing import Any

REGISTRY = ("192.0.2.10", 5000)
OCI = "application/vnd.oci.image"
MODULE = b"\0asm\1\0\0\0"
PLATFORMS = {
    "wasi": {"os": "wasi", "architecture": "wasm"},
    "riscv": {"os": "linux", "architecture": "riscv64"},
}

# What tools push that is no container image: content of the config, its type, the layer's type.
ARTIFACTS: dict[str, tuple[Any, str, str]] = {
    # wkg oci push, oci-tar-builder --as-artifact
    "artifact": (
        {"architecture": "wasm", "os": "wasip1", "layerDigests": []},
        "application/vnd.wasm.config.v0+json",
        "application/wasm",
    ),
    # oras push
    "oras": ({}, "application/vnd.oci.empty.v1+json", "application/wasm"),
    # oras push of a folder, with a config that calls itself an image's and is none
    "configured": ({}, f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip"),
    # modctl, KitOps
    "model": (
        {"descriptor": {"name": "llama"}, "config": {"format": "gguf"}},
        "application/vnd.cncf.model.config.v1+json",
        "application/vnd.cncf.model.weight.v1.gguf",
    ),
}


def main(name: str, kind: str) -> None:
    """``kind``: a key of PLATFORMS, for an index with that platform alone, or of ARTIFACTS."""
    repository, _, tag = name.partition(":")
    if kind in ARTIFACTS:
        config, *both = ARTIFACTS[kind]
        packed = both[1].endswith("tar+gzip")
        layer = gzip.compress(_tar({"app.wasm": MODULE}), mtime=0) if packed else MODULE
        manifest = _manifest(repository, config, layer, (both[0], both[1]))
        _put(f"/v2/{repository}/manifests/{tag}", manifest, f"{OCI}.manifest.v1+json")
        return
    tar = _tar({"app.wasm": MODULE})
    digest = "sha256:" + hashlib.sha256(tar).hexdigest()
    config = {
        **PLATFORMS[kind],
        "config": {"Entrypoint": ["/app.wasm"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }
    types = (f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip")
    manifest = _manifest(repository, config, gzip.compress(tar, mtime=0), types)
    described = _descriptor(f"{OCI}.manifest.v1+json", manifest)
    _put(f"/v2/{repository}/manifests/{described['digest']}", manifest, described["mediaType"])
    type_ = f"{OCI}.index.v1+json"
    entries = [{**described, "platform": PLATFORMS[kind]}]
    index = json.dumps({"schemaVersion": 2, "mediaType": type_, "manifests": entries})
    _put(f"/v2/{repository}/manifests/{tag}", index.encode(), type_)


def _manifest(repository: str, config: Any, layer: bytes, types: tuple[str, str]) -> bytes:
    blobs = (json.dumps(config).encode(), layer)
    for blob in blobs:
        _upload(repository, blob)
    first, second = (_descriptor(type_, blob) for type_, blob in zip(types, blobs, strict=True))
    document = {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json"}
    return json.dumps({**document, "config": first, "layers": [second]}).encode()


def _descriptor(type_: str, data: bytes) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return {"mediaType": type_, "digest": digest, "size": len(data)}


def _upload(repository: str, blob: bytes) -> None:
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    answer = _call("POST", f"/v2/{repository}/blobs/uploads/", b"", "")
    place = answer.headers["Location"].partition(f":{REGISTRY[1]}")[2] or answer.headers["Location"]
    _put(f"{place}{'&' if '?' in place else '?'}digest={digest}", blob, "application/octet-stream")


def _put(path: str, data: bytes, type_: str) -> None:
    _call("PUT", path, data, type_)


def _call(method: str, path: str, data: bytes, type_: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*REGISTRY, timeout=10)
    connection.request(method, path, data, {"Content-Type": type_} if type_ else {})
    answer = connection.getresponse()
    answer.read()
    if answer.status >= http.client.BAD_REQUEST:
        raise SystemExit(f"{method} {path}: {answer.status} {answer.reason}")
    return answer


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
