"""The usual way to serve an ONNX model, to compare with: onnxruntime in a Python container.

Builds the image (Debian with Python by debootstrap, as root; onnxruntime from PyPI), pushes it
to the lab's registry with the plugin, runs it on the lab's node without a RuntimeClass, and
measures it as ``model_images.py`` measures pods of ours. One thread, plain HTTP, the Open Inference
Protocol. The base needs the network, which the lab has not:

    python benchmarks/python_image.py --base
    lab/lab up --registry
    lab/lab run -- .venv/bin/python benchmarks/python_image.py NAME=PATH [INPUT=1,3,48,192 ...]
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import model_images as ours

from kubectl_wasmai.image import oci
from kubectl_wasmai.image.model import read_model

CACHE = Path(os.environ.get("WASMAI_ENGINE_CACHE", Path.home() / ".cache/kubectl-wasmai-engine"))
BASE = CACHE / "python-image.tar.gz"
SYSTEM = ["--variant=minbase", "--include=python3-minimal,libpython3-stdlib,libstdc++6", "trixie"]
WHEELS = ["--python-version", "3.13", "--platform", "manylinux_2_28_x86_64",
          "--platform", "manylinux_2_27_x86_64", "--only-binary=:all:", "--no-deps"]  # fmt: skip
SERVER = """
import datetime, http.server, json, sys, time
sys.path.insert(0, "/opt/site")
began = time.monotonic()
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession("/model.onnx", options)
types = {"FP32": "float32", "INT32": "int32", "INT64": "int64"}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"{}")

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        inputs = {
            each["name"]: numpy.array(each["data"], types[each["datatype"]]).reshape(each["shape"])
            for each in asked["inputs"]
        }
        found = session.run(None, inputs)
        names = [each.name for each in session.get_outputs()]
        outputs = [
            {"name": name, "shape": list(each.shape), "data": each.ravel().tolist()}
            for name, each in zip(names, found)
        ]
        self.answer(json.dumps({"outputs": outputs}).encode())

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("", 8080), Handler)
print(json.dumps({
    "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    "event": "listening",
    "since_start_ms": (time.monotonic() - began) * 1e3,
}), flush=True)
server.serve_forever()
"""


def main() -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--base", action="store_true", help="only make the base, once")
    parser.add_argument("model", metavar="NAME=PATH", nargs="?")
    parser.add_argument("shapes", nargs="*", metavar="INPUT=1,3,48,192")
    given = parser.parse_args()
    if given.base or not given.model:
        make_base()
        return
    name, _, path = given.model.partition("=")
    model = read_model(Path(path))
    body = ours.request(model, dict(each.rsplit("=", 1) for each in given.shapes), 0)
    reference = f"{ours.REGISTRY}/bench/{name}:python"
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        size = write_image(archive, BASE.read_bytes(), Path(path).read_bytes(), reference)
        ours.plugin("image", "load", archive)
    ours.plugin("image", "push", reference, "--plain-http")
    pod = deployed(f"{name}-python", reference)
    starts = [ours.start_of(pod)]
    for _ in range(ours.STARTS):
        pod = ours.replaced(f"{name}-python", pod)
        starts.append(ours.start_of(pod))
    times, _ = ours.asked(pod["status"]["podIP"], f"/v2/models/{name}/infer", body)
    middle = sorted(starts[1:], key=lambda each: each["cold"])[ours.STARTS // 2]
    print(json.dumps({
        "model": name,
        "image bytes": size,
        "cold start": round(middle["cold"] + times[0], 3),
        "engine start": round(middle["engine"], 3),
        "memory": ours.resident(pod["metadata"]["uid"], b"/server.py"),
        **ours.latency(times, 0),
    }, indent=1))  # fmt: skip


def make_base() -> None:
    """Debian, Python and onnxruntime, packed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        subprocess.run(["debootstrap", *SYSTEM, str(root)], check=True)
        pip = [sys.executable, "-m", "pip", "install", "--target", str(root / "opt" / "site")]
        subprocess.run([*pip, *WHEELS, "onnxruntime", "numpy"], check=True)
        left_out = ["--exclude=./dev/*", "--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/*"]
        subprocess.run(["tar", *left_out, "-C", str(root), "-czf", str(BASE), "."], check=True)


def write_image(archive: Path, base: bytes, model: bytes, reference: str) -> int:
    """An OCI layout of two layers; the bytes that a node pulls."""
    own = _layer({"server.py": SERVER.encode(), "model.onnx": model})
    layers = [base, own]
    config = oci.canonical({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/usr/bin/python3", "/server.py"], "User": "65532"},
        "rootfs": {
            "type": "layers",
            "diff_ids": [oci.digest_of(gzip.decompress(each)) for each in layers],
        },
    })  # fmt: skip
    manifest = oci.canonical({
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": oci.describe(oci.CONFIG, config).document(),
        "layers": [oci.describe(f"{oci.LAYER}+gzip", each).document() for each in layers],
    })  # fmt: skip
    platform = oci.Platform("amd64", "linux")
    named = {oci.REF_NAME: reference}
    described = oci.describe(oci.MANIFEST, manifest, annotations=named, platform=platform)
    index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [described.document()]}
    with tarfile.open(archive, "w") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(tar, "index.json", oci.canonical(index))
        for blob in (config, manifest, *layers):
            _add(tar, f"blobs/{oci.digest_of(blob).replace(':', '/')}", blob)
    return sum(map(len, layers))


def _layer(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            _add(tar, name, content)
    return gzip.compress(out.getvalue(), 6, mtime=0)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))


def deployed(name: str, image: str) -> dict[str, Any]:
    """One pod, ready; ``deploy`` itself would refuse it, since nothing about it is Wasm."""
    labels = {"app.kubernetes.io/instance": name}
    container = {
        "name": "server",
        "image": image,
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8080},
                           "periodSeconds": 1},
        "resources": {"limits": {"cpu": "1", "memory": "4Gi"}},
    }  # fmt: skip
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    gone = ["kubectl", "delete", "deployment", name, "--ignore-not-found", "--wait=true"]
    subprocess.run(gone, check=True, capture_output=True)
    manifest = json.dumps(deployment).encode()
    subprocess.run(["kubectl", "apply", "-f", "-"], input=manifest, check=True, capture_output=True)
    wait = ["kubectl", "rollout", "status", f"deployment/{name}", "--timeout=5m"]
    subprocess.run(wait, check=True, capture_output=True)
    return ours.the_pod(name)


if __name__ == "__main__":
    main()
