"""``kubectl wasmai run``: models answer on this machine, and what goes wrong is told."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime
from wasmengine import gguf_files
from wasmengine.running import Server

from kubectl_wasmai import demo
from kubectl_wasmai.local.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_MAIN = "from kubectl_wasmai.cli.main import main; main()"
DEMO = Path(demo.__file__).parent
GREEDY = ("--temperature", "0", "--max-tokens", "8")
Done = subprocess.CompletedProcess[str]


def command(*words: object) -> list[str]:
    return [sys.executable, "-c", RUN_MAIN, "run", *map(str, words)]


def run(*words: object, stdin: str = "") -> Done:
    return subprocess.run(
        command(*words), input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def request(folder: Path, body: dict[str, Any]) -> Path:
    (folder / "request.json").write_text(json.dumps(body))
    return folder / "request.json"


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a chat template."""
    path = tmp_path_factory.mktemp("chat") / "chatty.gguf"
    return gguf_files.write(path, "Q8_0", tokenizer="llama-bpe", template="<|im_start|>")


def test_the_demonstrations_model_reads_the_digit() -> None:
    done = run(DEMO / "digits.onnx", "--input", DEMO / "digit.json", "--repeat", "5")

    assert done.returncode == 0, done.stderr
    outputs = {each["name"]: each["data"] for each in json.loads(done.stdout)["outputs"]}
    assert outputs["digit"] == [3]
    assert outputs["probabilities"][3] > 0.9
    assert re.search(r"^engine +wasmtime [\d.]+, compiled$", done.stderr, re.MULTILINE)
    assert re.search(
        r"^cold start +\d+\.\d{3} s: runtime .* model .* answer", done.stderr, re.MULTILINE
    )
    assert re.search(r"^latency +[\d.]+ ms, the median of 4", done.stderr, re.MULTILINE)


def test_quietly_there_is_the_answer_alone() -> None:
    body = (DEMO / "digit.json").read_text()
    done = run(DEMO / "digits.onnx", "--input", "-", "-q", stdin=body)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["model_name"] == "digits"


def test_what_stands_on_standard_input_is_continued(models: Path, tmp_path: Path) -> None:
    body = {"prompt": "hello world", "temperature": 0, "max_tokens": 8}
    whole = run(models / "Q8_0.gguf", "--input", request(tmp_path, body), "-q")
    streamed = run(models / "Q8_0.gguf", *GREEDY, stdin="hello world\n")

    expected = json.loads(whole.stdout)["choices"][0]["text"]
    assert streamed.stdout == f"{expected}\n"
    assert "no chat template" in streamed.stderr
    assert re.search(r"8 tokens, the first after [\d.]+ s, then [\d.]+ tokens/s", streamed.stderr)


def test_a_model_with_a_template_is_asked_as_a_chat(chatty: Path, tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "the"}, {"role": "user", "content": "hello"}]
    body = {"messages": messages, "temperature": 0, "max_tokens": 8}
    whole = run(chatty, "--input", request(tmp_path, body), "-q")
    streamed = run(chatty, *GREEDY, "--system", "the", "-q", stdin="hello")

    expected = json.loads(whole.stdout)["choices"][0]["message"]["content"]
    assert expected
    assert (streamed.stdout, streamed.stderr) == (f"{expected}\n", "")


class Terminal:
    """Somebody who types."""

    def __init__(self, *words: object) -> None:
        self.process, self.screen = pty.fork()
        if self.process == 0:
            line = command(*words)
            os.execv(line[0], line)  # noqa: S606
        self.shown = ""

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Until ``text`` has appeared since the last time."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self.screen], [], [], 0.1)[0]:
                self.shown += os.read(self.screen, 65536).decode(errors="replace")
        self.shown = self.shown.partition(text)[2]

    def wait_for_an_answer(self, seconds: float = 60.0) -> None:
        """Until something but white space has appeared since the last time."""
        end = time.monotonic() + seconds
        while not self.shown.strip():
            assert time.monotonic() < end
            if select.select([self.screen], [], [], 0.1)[0]:
                self.shown += os.read(self.screen, 65536).decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def exit_code(self) -> int:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                # Unread output would keep it from ending.
                select.select([self.screen], [], [], 0.1)[0] and os.read(self.screen, 65536)
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def test_a_chat_at_a_terminal(models: Path) -> None:
    terminal = Terminal(models / "slow.gguf", "--max-tokens", "3000")
    terminal.wait_for("Ctrl-D ends the chat")
    terminal.wait_for("> ")
    terminal.type("hello world\n")
    terminal.wait_for("world")
    terminal.wait_for_an_answer()
    terminal.type("\x03")
    terminal.wait_for(" s")
    terminal.wait_for("> ")
    terminal.type("\x04")
    assert terminal.exit_code() == 0


@contextlib.contextmanager
def serving(*words: object) -> Iterator[tuple[Server, str]]:
    """``run`` that serves a model and listens, and where it says it does."""
    port = free_port()
    server = subprocess.Popen(command(*words, "--serve", port), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield Server(port, server), server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def test_it_serves_on_loopback_until_it_is_told_to_end() -> None:
    with serving(DEMO / "digits.onnx") as (asked, url):
        assert url == f"http://127.0.0.1:{asked.port}/v2/models/digits"
        assert json.loads(asked.get("/v2/models/digits")[1])["inputs"][0]["name"] == "image"
        body = (DEMO / "digit.json").read_bytes()
        status, answer = asked.post("/v2/models/digits/infer", body)
        assert (status, answer["outputs"][0]["data"]) == (200, [3])
        asked.process.send_signal(signal.SIGTERM)
        assert asked.process.wait(20) == 143
        assert not listens(asked.port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed run leaves its engine")
@pytest.mark.parametrize("runtime", ["wasmtime", "wasmedge"])
def test_an_engine_does_not_outlive_a_run_that_is_killed(runtime: str, models: Path) -> None:
    if runtime == "wasmedge" and shutil.which("wasmedge") is None:
        pytest.skip("wasmedge is not on PATH")
    with serving(models / "Q8_0.gguf", "--runtime", runtime) as (asked, _):
        assert listens(asked.port)
        asked.process.kill()
        asked.process.wait()
        asked.wait_for(lambda: not listens(asked.port))


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run(DEMO / "digits.onnx", "--serve", other.getsockname()[1])

    assert done.returncode == 1
    assert "error: cannot listen on 127.0.0.1 port" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_engine_refuses_is_told_in_its_words(tmp_path: Path, models: Path) -> None:
    wrong = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}
    done = run(DEMO / "digits.onnx", "--input", request(tmp_path, wrong))
    assert done.returncode == 1
    assert "error: the engine refused the request" in done.stderr

    done = run(models / "Q8_0.gguf", "--chat-template", "nonsense", stdin="x")
    assert done.returncode == 1
    assert "error: --chat-template is llama-2, llama-3 or chatml" in done.stderr


def test_files_are_named_as_the_user_named_them(tmp_path: Path) -> None:
    model = gguf_files.write(tmp_path / "cut.gguf", "F32")
    with model.open("r+b") as file:
        file.truncate(model.stat().st_size // 2)
    done = run(model, stdin="x")

    assert done.returncode == 1
    assert str(model) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("unreachable", ["exit code 134", "wasm trap: wasm `unreachable` instruction executed"]),
        ("nop", ["exit code 0", "it wrote nothing"]),
    ],
)
def test_an_engine_that_ends_is_told_with_what_it_said(
    tmp_path: Path, body: str, words: list[str]
) -> None:
    module = wasmtime.wat2wasm(
        f'(module (memory (export "memory") 1) (func (export "_start") {body}))'
    )
    (tmp_path / "own.wasm").write_bytes(module)
    own = tmp_path / "own.wasm"
    done = run(DEMO / "digits.onnx", "--input", DEMO / "digit.json", "--engine", own)

    assert done.returncode == 1
    assert all(each in done.stderr for each in ("error: the engine ended with", *words))
