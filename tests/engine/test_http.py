"""The server under clients that are slow, rude, many, or gone."""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasmengine.running import Server

LONG = {"prompt": "hello", "max_tokens": 2000, "temperature": 0.9, "seed": 5}
HEALTH = b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n"


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def start_long(server: Server) -> socket.socket:
    """A generation that runs when this returns."""
    connection = server.socket()
    body = json.dumps({**LONG, "stream": True}).encode()
    connection.sendall(post("/v1/completions", body))
    assert b"data:" in connection.recv(65536) + connection.recv(65536)
    return connection


def test_requests_may_be_pipelined(server: Server) -> None:
    work = post("/v1/completions", b'{"prompt": "hello", "max_tokens": 3, "seed": 1}')
    with server.socket() as connection:
        connection.sendall(HEALTH + work + HEALTH.replace(b"Host", b"Connection: close\r\nHost"))
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.index(b'"ready"') < answers.index(b"text_completion")
    assert answers.rindex(b'"ready"') > answers.index(b"text_completion")


def test_a_request_may_arrive_in_small_pieces(server: Server) -> None:
    body = b'{"prompt": "hello", "max_tokens": 2}'
    with server.socket() as connection:
        for byte in post("/v1/completions", body, "Connection: close"):
            connection.sendall(bytes([byte]))
        assert b" 200 OK" in read_all(connection)


def test_chunked_bodies_and_permission_to_send_are_understood(server: Server) -> None:
    head = (
        b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with server.socket() as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b'10\r\n{"prompt": "hel"\r\n12\r\n, "max_tokens": 2}\r\n0\r\n\r\n')
        assert b" 200 OK" in read_all(connection)


def test_a_large_body_is_read_and_a_too_large_one_refused(server: Server) -> None:
    large = json.dumps({"prompt": "hello", "max_tokens": 1, "user": "x" * 20_000_000}).encode()
    assert server.post("/v1/completions", large)[0] == 200
    with server.socket() as connection:
        connection.sendall(b"POST /v1/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in read_all(connection)


def test_a_client_that_closes_its_sending_half_is_answered(server: Server) -> None:
    with server.socket() as connection:
        connection.sendall(HEALTH)
        connection.shutdown(socket.SHUT_WR)
        assert b'{"ready":true}' in read_all(connection)
    with server.socket() as connection:
        connection.sendall(post("/v1/completions", b'{"prompt": "hello", "max_tokens": 30}'))
        connection.shutdown(socket.SHUT_WR)
        assert b"text_completion" in read_all(connection)


def test_rubbish_is_refused_and_the_server_lives(server: Server) -> None:
    for rubbish, status in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b" 400 "),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100 + b"\r\n", b" 431 "),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 20_000, b" 431 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b" 501 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b" 400 "),
    ]:
        with server.socket() as connection:
            connection.sendall(rubbish)
            assert status in read_all(connection), rubbish[:40]
    assert server.get("/v2/health/live")[0] == 200


def test_wrong_paths_and_methods_are_named(server: Server) -> None:
    status, body = server.get("/nothing")
    assert status == 404
    assert "/v1/completions" in json.loads(body)["paths"]
    assert server.get("/v1/completions")[0] == 405
    assert server.post("/v1/models", {})[0] == 405


def test_many_connections_at_once(server: Server) -> None:
    open_connections = [server.socket() for _ in range(100)]
    for connection in open_connections:
        connection.sendall(HEALTH)
    for connection in open_connections:
        assert b"200 OK" in connection.recv(1000)
        connection.close()


def test_a_slow_client_does_not_stop_the_others(server: Server) -> None:
    with server.socket() as slow:
        slow.sendall(b"POST /v1/completions HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
        began = time.monotonic()
        assert server.get("/v2/health/live")[0] == 200
        assert time.monotonic() - began < 1
        slow.settimeout(60)
        assert b" 408 " in read_all(slow)
    assert 15 < time.monotonic() - began < 45


def test_health_answers_while_a_generation_runs(slow_server: Server) -> None:
    connection = start_long(slow_server)
    times = []
    for _ in range(20):
        began = time.monotonic()
        assert slow_server.get("/v2/health/ready")[0] == 200
        times.append(time.monotonic() - began)
    assert slow_server.metric("wasmai_in_flight") == 1, "the generation ended too early"
    connection.close()
    slow_server.wait_for(lambda: slow_server.metric("wasmai_in_flight") == 0)
    # The promise is 100 ms of the engine; half of the tries may be spoilt by a busy machine.
    assert statistics.median(times) < 0.1, times


def test_a_generation_ends_when_its_client_leaves(slow_server: Server) -> None:
    before = slow_server.metric("wasmai_cancelled_total")
    start_long(slow_server).close()
    slow_server.wait_for(lambda: slow_server.metric("wasmai_in_flight") == 0)
    assert slow_server.metric("wasmai_cancelled_total") == before + 1

    # Without a stream nothing would be written for a long time.
    with slow_server.socket() as connection:
        connection.sendall(post("/v1/completions", json.dumps(LONG).encode()))
        slow_server.wait_for(lambda: slow_server.metric("wasmai_in_flight") == 1)
    slow_server.wait_for(lambda: slow_server.metric("wasmai_in_flight") == 0)
    assert slow_server.metric("wasmai_cancelled_total") == before + 2


def test_a_full_queue_says_when_to_come_back(slow_server: Server) -> None:
    running = start_long(slow_server)
    waiting = [slow_server.socket() for _ in range(2)]
    for connection in waiting:
        connection.sendall(post("/v1/completions", json.dumps(LONG).encode()))
    slow_server.wait_for(lambda: slow_server.metric("wasmai_queue_length") == 2)

    refused = slow_server.connection()
    refused.request("POST", "/v1/completions", json.dumps(LONG))
    answer = refused.getresponse()
    assert answer.status == 429
    assert int(answer.getheader("Retry-After") or 0) >= 1
    assert "--queue" in json.loads(answer.read())["error"]["message"]
    refused.close()

    for each in [running, *waiting]:
        each.close()
    slow_server.wait_for(lambda: slow_server.metric("wasmai_in_flight") == 0)
    slow_server.wait_for(lambda: slow_server.metric("wasmai_queue_length") == 0)


def test_answers_to_several_clients_do_not_mix(server: Server) -> None:
    def ask(number: int) -> None:
        request = {"prompt": [1, 300 + number], "max_tokens": 6, "temperature": 0}
        while True:
            status, answer = server.post("/v1/completions", request)
            if status == 200:
                found[number] = answer["choices"][0]["text"]
                return
            assert status == 429
            time.sleep(0.05)

    found: dict[int, str] = {}
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = dict(found)
    for number in range(8):
        ask(number)
    assert found == together
