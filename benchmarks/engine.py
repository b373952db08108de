"""How fast the engine answers: under wasmtime, WasmEdge's AOT code and WasmEdge's interpreter.

The native peers run in the same minutes with one thread each: onnxruntime, and llama.cpp where
`llama_cpp` can be imported. Runs alternate and the best counts, so that load of the machine falls
on all alike. Models: those of tests/wasmengine/onnx_models.py, and GGUF files with random weights.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from wasmengine import gguf_files
from wasmengine.onnx_models import CACHE, MODELS, Real, fetch
from wasmengine.running import PACKAGE, Engine, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONNX = ("magika", "silero", "silero-sequence", "ocr-cls", "ocr-det", "ocr-rec", "nudenet")
TINY = gguf_files.Shape(layers=6, width=256, hidden=768, heads=8, kv_heads=8, vocabulary=32000)
LARGE = gguf_files.Shape(layers=30, width=576, hidden=1536, heads=9, kv_heads=3, vocabulary=49152)
GGUF = {
    "tiny-F32": ("F32", TINY),
    "tiny-Q8_0": ("Q8_0", TINY),
    "tiny-Q4_0": ("Q4_0", TINY),
    "135M-Q8_0": ("Q8_0", LARGE),
}
# For any machine of the architecture, as an image must be.
AOT_OPTIONS = ("--generic-binary",)
PROMPT = [1, 300, 310, 320, 7, 411]
TOKENS = 64
TOKENS_INTERPRETED = 6


@dataclass
class WasmEdge(Engine):
    """The engine's process under WasmEdge instead of wasmtime."""

    program: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        return [*self.program, "--dir", f"/:{self.folder}", str(self.module), *arguments]


def main() -> None:
    """Prints a table for each format that was asked for."""
    options = arguments()
    for kind, measure in (("onnx", onnx), ("gguf", gguf)):
        if kind in options.formats:
            with contextlib.ExitStack() as stack:
                engines = dict(started(kind, options, stack))
                measure(engines, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("formats", nargs="*", default=["onnx", "gguf"], help="onnx, gguf or both")
    parser.add_argument("--modules", type=Path, default=PACKAGE, help="folder of engine-*.wasm")
    parser.add_argument("--also", type=Path, help="folder of other builds, under wasmtime beside")
    parser.add_argument(
        "--wasmedge", type=shlex.split, help="how to call it; without: wasmtime only"
    )
    parser.add_argument("--interpreter", action="store_true", help="WasmEdge's, too: minutes")
    parser.add_argument("--rounds", type=int, default=15)
    return parser.parse_args()


def started(
    kind: str, options: argparse.Namespace, stack: contextlib.ExitStack
) -> Iterator[tuple[str, Engine]]:
    """The engines by the name of their runtime, stopped at the end."""
    name = f"engine-{'llama' if kind == 'gguf' else 'onnx'}.wasm"
    models = CACHE / "models"
    found: dict[str, Engine] = {"wasmtime": Engine(options.modules / name, models)}
    if options.also:
        found["wasmtime, also"] = Engine(options.also / name, models)
    if options.wasmedge:
        program = tuple(options.wasmedge)
        compiled = ahead_of_time(options.modules / name, program)
        found["WasmEdge AOT"] = WasmEdge(compiled, models, program=program)
        if options.interpreter:
            found["interpreter"] = WasmEdge(options.modules / name, models, program=program)
    for each in found.values():
        stack.callback(each.stop)
    yield from found.items()


def ahead_of_time(module: Path, program: tuple[str, ...]) -> Path:
    """The module's shared object, made once; for ONNX that takes many minutes."""
    digest = hashlib.sha256(module.read_bytes()).hexdigest()[:16]
    compiled = CACHE / "aot" / f"{module.stem}-{digest}.so"
    if not compiled.is_file():
        compiled.parent.mkdir(parents=True, exist_ok=True)
        began, before = time.monotonic(), os.times().children_user
        unfinished = compiled.with_suffix(".part.so")
        subprocess.run(
            [*program, "compile", *AOT_OPTIONS, str(module), str(unfinished)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        unfinished.rename(compiled)
        print(
            f"{module.name}: compiled in {time.monotonic() - began:.0f} s "
            f"({os.times().children_user - before:.0f} s of CPU), "
            f"{compiled.stat().st_size / 1e6:.1f} MB"
        )
    return compiled


def best(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The least of what each run gives, after one that warms up; the interpreter runs once."""
    found: dict[str, float] = {}
    for number in range(rounds + 1):
        for name, run in runs.items():
            if name == "interpreter" and number > 1:
                continue
            value = run()
            if number:
                found[name] = min(value, found.get(name, value))
    return found


def table(title: str, columns: list[str], rows: dict[str, dict[str, str]]) -> None:
    print(f"\n| {title} | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(row.get(each, "") for each in columns) + " |")


def onnx(engines: dict[str, Engine], options: argparse.Namespace) -> None:
    """Milliseconds a request that the engine's log gives; onnxruntime's are those of its call."""
    chosen = [model for model in MODELS if model.name in ONNX]
    servers: dict[str, Server] = {}
    for name, engine in engines.items():
        models = [f"{model.name}={Path('/', fetch(model).name)}" for model in chosen]
        servers[name] = engine.serve(*(word for each in models for word in ("--model", each)))
    rows: dict[str, dict[str, str]] = {}
    for model in chosen:
        inputs, native = peer(model)
        runs = {"onnxruntime": native}
        for name, server in servers.items():
            runs[name] = inference(server, model.name, inputs)
        found = best(runs, options.rounds)
        rows[model.name] = {
            name: f"{value:.3g}" + (f" ({value / found['onnxruntime']:.1f}x)" if at else "")
            for at, (name, value) in enumerate(found.items())
        }
        print(model.name, rows[model.name], file=sys.stderr)
    table("ms a request", ["onnxruntime", *servers], rows)


def peer(model: Real) -> tuple[dict[str, Any], Callable[[], float]]:
    """Inputs, and what runs them in onnxruntime with one thread."""
    import numpy as np
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(fetch(model)), settings)
    random = np.random.default_rng(3)
    inputs: dict[str, Any] = {}
    for port in session.get_inputs():
        shape = model.shapes[port.name]
        inputs[port.name] = (
            random.integers(0, 256, shape, dtype=np.int32)
            if port.type == "tensor(int32)"
            else random.random(shape, dtype=np.float32)
        )

    def run() -> float:
        began = time.perf_counter()
        session.run(None, inputs)
        return (time.perf_counter() - began) * 1e3

    return inputs, run


def inference(server: Server, name: str, inputs: dict[str, Any]) -> Callable[[], float]:
    """What asks for one inference with binary tensors, and reads from the log how long it took."""
    kinds = {"float32": "FP32", "int32": "INT32"}
    described = [
        {"name": key, "shape": list(value.shape), "datatype": kinds[str(value.dtype)],
         "parameters": {"binary_data_size": value.nbytes}}
        for key, value in inputs.items()
    ]  # fmt: skip
    head = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    body = head + b"".join(value.tobytes() for value in inputs.values())

    def run() -> float:
        connection = server.connection()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        connection.request("POST", f"/v2/models/{name}/infer", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{name}: {said.decode()}")
        for line in server.process.stderr or ():
            event = json.loads(line)
            if event["event"] == "request":
                return float(event["took_ms"])
        raise SystemExit(f"{name}: the engine ended")

    return run


def gguf(engines: dict[str, Engine], options: argparse.Namespace) -> None:
    """Tokens a second after the first token; the interpreter generates fewer."""
    rows: dict[str, dict[str, str]] = {}
    for name, (quant, shape) in GGUF.items():
        path = CACHE / "models" / f"{name}.gguf"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            gguf_files.write(path, quant, shape)
        runs: dict[str, Callable[[], float]] = {}
        if importlib.util.find_spec("llama_cpp"):
            runs["llama.cpp"] = native_generation(path)
        for runtime, engine in engines.items():
            server = engine.serve("--model", f"/{path.name}")
            count = TOKENS_INTERPRETED if runtime == "interpreter" else TOKENS
            runs[runtime] = generation(server, name, count)
        found = best(runs, max(options.rounds // 3, 3))
        for engine in engines.values():
            engine.stop()
            engine.running.clear()
        native = found.get("llama.cpp")
        rows[name] = {
            runtime: f"{1 / value:.3g}"
            + (f" ({value / native:.2f}x)" if native and runtime != "llama.cpp" else "")
            for runtime, value in found.items()
        }
        print(name, rows[name], file=sys.stderr)
    table("tokens a second", ["llama.cpp", *engines], rows)


def generation(server: Server, name: str, count: int) -> Callable[[], float]:
    """What generates, and gives the mean seconds between tokens from the engine's metrics."""
    metric = "wasmai_time_per_output_token_seconds_sum"

    def run() -> float:
        before = server.metric(metric)
        status, answer = server.post(
            "/v1/completions",
            {"model": name, "prompt": PROMPT, "max_tokens": count, "temperature": 0},
        )
        if status != HTTPStatus.OK or answer["usage"]["completion_tokens"] == 1:
            raise SystemExit(f"{name}: {answer}")
        return server.metric(metric) - before

    return run


def native_generation(path: Path) -> Callable[[], float]:
    """The same in llama.cpp with one thread."""
    import llama_cpp
    import numpy as np

    model = llama_cpp.Llama(
        str(path), n_ctx=512, n_threads=1, n_threads_batch=1, n_gpu_layers=0, verbose=False
    )

    def next_token() -> int:
        logits = llama_cpp.llama_get_logits(model.ctx)
        return int(np.ctypeslib.as_array(logits, shape=(model.n_vocab(),)).argmax())

    def run() -> float:
        model.reset()
        model.eval(PROMPT)
        began = time.perf_counter()
        for _ in range(TOKENS - 1):
            model.eval([next_token()])
        next_token()
        return (time.perf_counter() - began) / (TOKENS - 1)

    return run


if __name__ == "__main__":
    main()
