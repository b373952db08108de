"""An API server on the loopback device whose answers a test scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Asked:
    """One request as the scripted server saw it; of repeated query values only the last."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes


@dataclass
class Answer:
    """``torn``: announce more bytes than are sent, then hang up. ``chunks``: stream these."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    torn: bool = False
    chunks: list[bytes] | None = None


class ScriptedApi(ThreadingHTTPServer):
    """Answers with what ``script`` returns for a request; remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.script: Callable[[Asked], Answer] = lambda _asked: Answer({})
        self.asked: list[Asked] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answers(self, *answers: Answer) -> None:
        """One after the other, the last for ever."""
        waiting = list(answers)
        self.script = lambda _asked: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server: Any = self.server
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, parts.path, query, self.headers, body)
        server.asked.append(asked)
        answer = server.script(asked)
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        if answer.chunks is not None:
            self._stream(answer.chunks)
            return
        self.send_header("Content-Length", str(len(data) + 1000 * answer.torn))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = self.close_connection or answer.torn

    def _stream(self, chunks: list[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_words: object) -> None:
        pass
