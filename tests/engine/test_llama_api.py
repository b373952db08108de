"""The OpenAI API as clients see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wasmengine.running import Engine, Server

COMPLETIONS = "/v1/completions"
CHAT = "/v1/chat/completions"


def stream(server: Server, path: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a streamed answer, without the last, which must be [DONE]."""
    connection = server.connection()
    connection.request("POST", path, json.dumps({**request, "stream": True}))
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream"
    events = [each.removeprefix("data: ") for each in answer.read().decode().split("\n\n") if each]
    connection.close()
    assert events.pop() == "[DONE]"
    return [json.loads(each) for each in events]


def test_the_model_is_listed(server: Server) -> None:
    status, body = server.get("/v1/models")
    assert status == 200
    assert json.loads(body)["data"][0]["id"] == "Q8_0"
    assert server.get("/v1/models/Q8_0")[0] == 200


def test_a_stream_says_the_same_as_a_whole_answer(server: Server) -> None:
    request = {"prompt": "hello", "max_tokens": 12, "temperature": 0}
    _, whole = server.post(COMPLETIONS, request)
    events = stream(server, COMPLETIONS, {**request, "stream_options": {"include_usage": True}})
    text = "".join(each["choices"][0]["text"] for each in events if each["choices"])
    assert text == whole["choices"][0]["text"]
    assert events[-1]["usage"] == whole["usage"]
    assert events[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]


def test_a_chat_is_answered_by_the_assistant(server: Server) -> None:
    request = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 5, "seed": 1}
    status, answer = server.post(CHAT, request)
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    events = stream(server, CHAT, request)
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(each["choices"][0]["delta"].get("content", "") for each in events)
    assert text == answer["choices"][0]["message"]["content"]


def test_generation_ends_at_a_stop_sequence(server: Server) -> None:
    request = {"prompt": "hello", "max_tokens": 12, "temperature": 0}
    _, whole = server.post(COMPLETIONS, request)
    text = whole["choices"][0]["text"]
    stop = text[3:5]
    _, cut = server.post(COMPLETIONS, {**request, "stop": stop})
    assert cut["choices"][0]["text"] == text[: text.index(stop)]
    assert cut["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        (COMPLETIONS, {"prompt": "x", "n": 2}, "n is not supported"),
        (COMPLETIONS, {"prompt": ""}, None),
        (COMPLETIONS, {"prompt": [99999]}, "outside the vocabulary"),
        (COMPLETIONS, {"prompt": [[]]}, "empty"),
        (COMPLETIONS, {"prompt": "x" * 2000}, "the context"),
        (COMPLETIONS, b"\xff\xfe", "JSON"),
        (COMPLETIONS, b"[" * 50_000, "JSON"),
        (CHAT, {"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ("/v1/embeddings", {"input": "x", "dimensions": 3}, "dimensions"),
    ],
)
def test_wrong_requests_are_explained(
    server: Server, path: str, body: dict[str, Any] | bytes, word: str | None
) -> None:
    status, answer = server.post(path, body)
    if word is None:
        # The token of the begin alone is a prompt.
        assert status == 200
        return
    assert status == 400
    assert word in answer["error"]["message"]
    assert answer["error"]["type"] == "invalid_request_error"


def test_a_chat_without_a_template_is_refused(llama: Engine) -> None:
    request = json.dumps({"messages": [{"role": "user", "content": "x"}]})
    done = llama.run("--model", "/F32.gguf", "--infer", "-", stdin=request)
    assert done.returncode == 1
    assert "--chat-template" in json.loads(done.stdout)["error"]["message"]
