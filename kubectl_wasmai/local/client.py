"""Asks an engine on the loopback interface: a whole answer, or one that streams."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.errors import InputError, WasmaiError

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLETIONS = "/v1/completions"
CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
HTTP_OK = 200
_DATA = b"data: "
_DONE = b"[DONE]"


class Gone(WasmaiError):
    """The engine ended before it had answered."""


@dataclass(frozen=True)
class Client:
    """Requests to one engine, each with a connection of its own."""

    port: int
    host: str = "127.0.0.1"

    def ask(self, path: str, body: bytes) -> str:
        """The answer. Raises InputError where the engine refuses, Gone where it ended."""
        with self._asked(path, body) as answer:
            return answer.read().decode(errors="replace").rstrip("\n")

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The pieces of a streamed answer. Raises as ``ask``.

        Closing the iterator ends the generation.
        """
        with self._asked(path, json.dumps({**body, "stream": True}).encode()) as answer:
            for line in answer:
                data = line.strip()
                if data.startswith(_DATA) and data != _DATA + _DONE:
                    yield json.loads(data.removeprefix(_DATA))

    @contextlib.contextmanager
    def _asked(self, path: str, body: bytes) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.host, self.port)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != HTTP_OK:
                raise InputError(f"the engine refused the request: {_reason(answer.read())}")
            yield answer
        except (http.client.HTTPException, OSError) as error:
            raise Gone("the engine ended before it had answered") from error
        finally:
            connection.close()


def path_of(body: dict[str, Any], model: str, format_: str) -> str:
    """Where a request belongs, by what it holds."""
    if format_ == "onnx":
        return f"/v2/models/{model}/infer"
    if "messages" in body:
        return CHAT
    return EMBEDDINGS if "input" in body else COMPLETIONS


def _reason(raw: bytes) -> str:
    text = raw.decode(errors="replace")
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text
    return str(error["message"] if isinstance(error, dict) and "message" in error else error)
