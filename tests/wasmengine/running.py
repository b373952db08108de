"""The built modules, run under wasmtime as processes."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "kubectl_wasmai.local.host"
PACKAGE = Path(__file__).parents[2] / "kubectl_wasmai" / "engine"
PATIENCE = 120.0


@dataclass
class Engine:
    """A module with its root folder."""

    module: Path
    folder: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", HOST, str(self.module), str(self.folder), "/", *arguments]

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def infer(self, request: dict[str, Any], *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--infer", "-", stdin=json.dumps(request))
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def serve(self, *arguments: str) -> Server:
        port = free_port()
        process = subprocess.Popen(
            self.command(*arguments, "--host", "127.0.0.1", "--port", str(port)),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        server = Server(port, process)
        assert process.stderr is not None
        for line in process.stderr:
            server.log.append(json.loads(line))
            if server.log[-1]["event"] == "listening":
                # Lines of requests come later; nobody reads them, and the pipe holds enough.
                return server
        pytest.fail(f"the engine ended before it listened: {server.log}")

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


@dataclass
class Server:
    port: int
    process: subprocess.Popen[str]
    log: list[dict[str, Any]] = field(default_factory=list)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def get(self, path: str) -> tuple[int, str]:
        connection = self.connection()
        connection.request("GET", path)
        answer = connection.getresponse()
        status, body = answer.status, answer.read().decode()
        connection.close()
        return status, body

    def post(self, path: str, body: dict[str, Any] | bytes) -> tuple[int, dict[str, Any]]:
        connection = self.connection()
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", path, raw)
        answer = connection.getresponse()
        status, document = answer.status, json.loads(answer.read())
        connection.close()
        assert isinstance(document, dict)
        return status, document

    def metric(self, name: str) -> float:
        _, text = self.get("/metrics")
        values = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return sum(float(value) for key, value in values if key.split("{")[0] == name)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the condition did not come about"
            time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert isinstance(port, int)
        return port


def module(variant: str) -> Path:
    """The module under test: the one that ships, or another build of it."""
    folder = Path(os.environ.get("WASMAI_ENGINE_MODULES", PACKAGE))
    path = folder / f"engine-{variant}.wasm"
    assert path.is_file(), f"{path} is missing; run: make engine"
    return path
