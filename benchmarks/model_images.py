"""What a model costs in a pod, compiled and interpreted, on this machine, and natively.

In the lab's network, where pods and the registry are, with the lab's wasmedge on PATH for --aot:

    lab/lab up --registry && kubectl apply -f lab/manifests/runtimeclass-wasm.yaml
    lab/lab run -- .venv/bin/python benchmarks/model_images.py NAME=PATH [INPUT=1,3,48,192 ...]

Prints one JSON object: seconds and bytes. A cold start in a pod goes from the Scheduled event (its
name has the time) to the engine's log line ``listening``, both of this machine's clock, plus the
first request; the image is on the node. Memory is the highest resident set of the process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime
from math import prod
from pathlib import Path
from typing import Any

from kubectl_wasmai.image.model import Model, read_model

REGISTRY = "192.0.2.10:5000"
PLUGIN = str(Path(sys.executable).with_name("kubectl-wasmai"))
FEWEST_REQUESTS, MOST_REQUESTS, SECONDS_OF_REQUESTS = 3, 50, 20.0
STARTS = 3
TOKENS = {"compiled": 64, "interpreted": 4}
DATATYPES = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}

NATIVE = """
import json, sys, time
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
types = {"FP32": "float32", "INT32": "int32", "INT64": "int64"}
inputs = {
    each["name"]: numpy.array(each["data"], types[each["datatype"]]).reshape(each["shape"])
    for each in json.load(open(sys.argv[2]))["inputs"]
}
session = onnxruntime.InferenceSession(sys.argv[1], options)
session.run(None, inputs)
print(time.time())
for _ in range(50):
    start = time.perf_counter()
    session.run(None, inputs)
    print(time.perf_counter() - start)
"""


def main() -> None:
    """Measure one model in all ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="NAME=PATH")
    parser.add_argument("shapes", nargs="*", metavar="INPUT=1,3,48,192")
    parser.add_argument("--compiled", action="store_true", help="only the compiled pod: seconds")
    arguments = parser.parse_args()
    name, _, path = arguments.model.partition("=")
    model = read_model(Path(path))
    shapes = dict(each.rsplit("=", 1) for each in arguments.shapes)
    found: dict[str, Any] = {"model": name, "bytes": model.size}
    for way in ("compiled",) if arguments.compiled else ("compiled", "interpreted"):
        found[way] = in_pod(name, model, way, request(model, shapes, TOKENS[way]))
    body = request(model, shapes, TOKENS["compiled"])
    for runtime in () if arguments.compiled else ("wasmtime", "wasmedge"):
        found[f"run, {runtime}"] = here(model, runtime, body)
    if model.format == "onnx" and not arguments.compiled:
        found["native"] = native(model, body)
    print(json.dumps(found, indent=1))


def request(model: Model, shapes: dict[str, str], tokens: int) -> bytes:
    """A request with random inputs, the same each time."""
    if model.format == "gguf":
        wish = {"prompt": "hello world", "temperature": 0, "max_tokens": tokens}
        return json.dumps(wish).encode()
    chance = random.Random(0)  # noqa: S311 - the same numbers each time
    inputs = []
    for port in model.card["inputs"]:
        given = shapes.get(port["name"])
        shape = [int(each) for each in given.split(",")] if given else port["shape"]
        datatype = DATATYPES[port["dtype"]]
        values = (chance.random() if datatype == "FP32" else chance.randrange(256) for _ in
                  range(prod(shape)))  # fmt: skip
        inputs.append(
            {"name": port["name"], "shape": shape, "datatype": datatype, "data": list(values)}
        )
    return json.dumps({"inputs": inputs}).encode()


def in_pod(name: str, model: Model, way: str, body: bytes) -> dict[str, Any]:
    """Build, push, deploy several times, and ask the last pod over the pod network."""
    reference = f"{REGISTRY}/bench/{name}:{way}"
    aot = ["--aot"] if way == "compiled" else []
    plugin("image", "build", model.files[0].path, "-t", reference, "--name", name, *aot)
    plugin("image", "push", reference, "--plain-http")
    (image,) = json.loads("[" + plugin("image", "inspect", reference, "-o", "json") + "]")
    subprocess.run([PLUGIN, "delete", name, "--ignore-not-found"], check=True, capture_output=True)
    words = ["--class", "wasm", "--limits", "memory=4Gi,cpu=1", "--timeout", "8m"]
    plugin("deploy", name, "--image", reference, *words)
    pod = the_pod(name)
    starts = [start_of(pod)]
    while len(starts) <= STARTS and starts[-1]["engine"] < SECONDS_OF_REQUESTS:
        pod = replaced(name, pod)
        starts.append(start_of(pod))
    path = f"/v2/models/{name}/infer" if model.format == "onnx" else "/v1/completions"
    times, tokens = asked(pod["status"]["podIP"], path, body)
    later = starts[1:] or starts  # the first start pulls the image
    cold = statistics.median(each["cold"] for each in later)
    return {
        "image bytes": sum(layer["size"] for layer in image["platforms"][0]["layers"]),
        "cold start": round(cold + times[0], 3),
        "engine start": round(statistics.median(each["engine"] for each in later), 3),
        "memory": resident(pod["metadata"]["uid"]),
        **latency(times, tokens),
    }


def replaced(name: str, pod: dict[str, Any]) -> dict[str, Any]:
    """Another pod in its place, ready."""
    old = pod["metadata"]["name"]
    # A module knows no signals, and would take its whole time of grace.
    subprocess.run(
        ["kubectl", "delete", "pod", old, "--grace-period=1"], check=True, capture_output=True
    )
    wait = ["kubectl", "rollout", "status", f"deployment/{name}", "--timeout=8m"]
    subprocess.run(wait, check=True, capture_output=True)
    return the_pod(name)


def the_pod(name: str) -> dict[str, Any]:
    """The only one."""
    (pod,) = kubectl("get", "pods", "-l", f"app.kubernetes.io/instance={name}")["items"]
    return dict(pod)


def start_of(pod: dict[str, Any]) -> dict[str, float]:
    """Seconds from Scheduled to listening, and of the engine alone."""
    name = pod["metadata"]["name"]
    log = subprocess.run(["kubectl", "logs", name], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in log.stdout.splitlines() if line.startswith("{")]
    (listening,) = (line for line in lines if line["event"] == "listening")
    moment = datetime.fromisoformat(listening["time"].replace("Z", "+00:00")).timestamp()
    selector = f"involvedObject.uid={pod['metadata']['uid']},reason=Scheduled"
    (event,) = kubectl("get", "events", "--field-selector", selector)["items"]
    scheduled = int(event["metadata"]["name"].rpartition(".")[2], 16) / 1e9
    return {"cold": moment - scheduled, "engine": listening["since_start_ms"] / 1e3}


def asked(host: str, path: str, body: bytes) -> tuple[list[float], int]:
    """Seconds of each request on one connection, and tokens of an answer."""
    connection = http.client.HTTPConnection(host, 8080, timeout=600)
    times: list[float] = []
    while len(times) < FEWEST_REQUESTS or (
        len(times) < MOST_REQUESTS and sum(times) < SECONDS_OF_REQUESTS
    ):
        start = time.perf_counter()
        connection.request("POST", path, body)
        answer = connection.getresponse()
        text = answer.read()
        times.append(time.perf_counter() - start)
        if answer.status != http.client.OK:
            raise RuntimeError(text.decode(errors="replace"))
    return times, json.loads(text).get("usage", {}).get("completion_tokens", 0)


def latency(times: list[float], tokens: int) -> dict[str, Any]:
    """Of all requests but the first. On a busy machine the best tells more than the median."""
    middle = statistics.median(times[1:])
    found: dict[str, Any] = {"latency": round(middle, 6), "requests": len(times) - 1}
    found["best"] = round(min(times[1:]), 6)
    if tokens:
        found["tokens/s"] = round(tokens / middle, 2)
    return found


def resident(uid: str, program: bytes = b"engine.wasm") -> int:
    """Highest resident set of the pod's program, bytes."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = uid in (process / "cgroup").read_text()
            if inside and program in (process / "cmdline").read_bytes():
                status = (process / "status").read_text()
        except OSError:
            continue
        else:
            if inside and program in (process / "cmdline").read_bytes():
                return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024
    return 0


def here(model: Model, runtime: str, body: bytes) -> dict[str, Any]:
    """``kubectl wasmai run``, twice: the second finds the engine compiled."""
    words = ["run", model.files[0].path, "--input", "-", "--runtime", runtime]
    words += ["--repeat", MOST_REQUESTS if model.format == "onnx" else 5]
    for _ in range(2):
        out, err, memory = watched([PLUGIN, *map(str, words)], body)
    cold, runtime_, loaded = re.findall(
        r"cold start +([\d.]+) s: runtime ([\d.]+) s, model ([\d.]+)", err
    )[0]
    found = {
        "cold start": float(cold),
        "engine start": float(loaded),
        "runtime start": float(runtime_),
        "memory": memory,
        "latency": float(re.findall(r"latency +([\d.]+) ms", err)[0]) / 1e3,
        "best": float(re.findall(r"\(([\d.]+) to", err)[0]) / 1e3,
    }
    usage = json.loads(out).get("usage", {})
    if tokens := usage.get("completion_tokens"):
        found["tokens/s"] = round(tokens / found["latency"], 2)
    return found


def native(model: Model, body: bytes) -> dict[str, Any]:
    """The peer: onnxruntime with one thread, in a Python process of its own."""
    path = Path(f"/tmp/{os.getpid()}.json")  # noqa: S108 - this machine's, for a moment
    path.write_bytes(body)
    try:
        for _ in range(2):
            began = time.time()
            out, _, memory = watched(
                [sys.executable, "-c", NATIVE, str(model.files[0].path), str(path)], b""
            )
    finally:
        path.unlink()
    answered, *times = map(float, out.split())
    return {
        "cold start": round(answered - began, 3),
        "memory": memory,
        "latency": round(statistics.median(times), 6),
        "best": round(min(times), 6),
    }


def watched(command: list[str], body: bytes) -> tuple[str, str, int]:
    """Output, errors, and the highest resident set of a command and what it started, bytes."""
    program = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:])\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(f'\\nresident {used}', file=sys.stderr)\n"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], input=body, capture_output=True, check=False
    )
    err = done.stderr.decode()
    if done.returncode:
        raise RuntimeError(err)
    return done.stdout.decode(), err, int(err.rpartition("resident ")[2]) * 1024


def plugin(*words: object) -> str:
    """What the plugin prints."""
    done = subprocess.run([PLUGIN, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def kubectl(*words: str) -> dict[str, Any]:
    """An answer of the lab's API server."""
    done = subprocess.run(
        ["kubectl", *words, "-o", "json"], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
