"""Requests, failures and retries against a scripted server on the loopback device."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import Answer, ScriptedApi

from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect
from kubectl_wasmai.errors import (
    ApiError,
    ClusterUnreachable,
    KubeconfigError,
)
from kubectl_wasmai.resources import POD

if TYPE_CHECKING:
    from pathlib import Path


def status(code: int, message: str = "no", **details: Any) -> Answer:
    body = {"kind": "Status", "code": code, "message": message, "reason": "Why"}
    return Answer({**body, "details": details} if details else body, code)


def to(server: str, tmp_path: Path, **flags: Any) -> Cluster:
    return connect(ConnectionOptions(server=server, **flags), environ={"HOME": str(tmp_path)})


def test_requests_and_decoded_bytes_are_counted_from_many_threads(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(Answer({"items": [], "metadata": {}}))
    threads = [
        threading.Thread(target=lambda: [cluster.list(POD, dict) for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cluster.stats.requests == len(api.asked) == 160
    assert cluster.stats.bytes == 160 * len(b'{"items": [], "metadata": {}}')


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again(api: ScriptedApi, cluster: Cluster, code: int) -> None:
    busy = status(code)
    busy.headers["Retry-After"] = "0"
    api.answers(busy, busy, Answer({"metadata": {"name": "web"}}))
    assert cluster.get(POD, "web")["metadata"]["name"] == "web"
    assert len(api.asked) == 3


def test_a_server_that_stays_busy_is_given_up(api: ScriptedApi, cluster: Cluster) -> None:
    busy = status(429, "slow down")
    busy.headers["Retry-After"] = "0"
    api.answers(busy)
    with pytest.raises(ApiError, match="slow down"):
        cluster.get(POD, "web")
    assert len(api.asked) == 4


def test_a_write_that_failed_inside_the_server_is_not_sent_again(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(status(500))
    with pytest.raises(ApiError):
        cluster.delete(POD, "web")
    assert len(api.asked) == 1


def test_an_answer_cut_short_is_never_taken_for_whole(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer({"gitVersion": "v1"}, torn=True))
    with pytest.raises(ClusterUnreachable, match="before its answer was whole"):
        cluster.version()


def test_a_refused_connection_names_server_and_next_step(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with (
            to(f"http://127.0.0.1:{port}", tmp_path) as cluster,
            pytest.raises(ClusterUnreachable, match=f"127.0.0.1:{port} was refused") as caught,
        ):
            cluster.version()
    assert "right host or port" in caught.value.hint


def test_a_silent_server_is_given_up_after_the_timeout_and_not_asked_again(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with (
            to(url, tmp_path, request_timeout=0.3) as cluster,
            pytest.raises(ClusterUnreachable, match=r"no answer from .* within 0.3 s"),
        ):
            cluster.version()
        assert 0.25 < time.monotonic() - began < 1.5
        silent.settimeout(0.05)
        silent.accept()[0].close()
        with pytest.raises(TimeoutError):
            silent.accept()


def test_a_server_that_drips_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dripping:

        def drip() -> None:
            connection, _ = dripping.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(20):
                    time.sleep(0.1)
                    try:
                        connection.sendall(b"1\r\nx\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{dripping.getsockname()[1]}"
        with (
            to(url, tmp_path, request_timeout=0.5) as cluster,
            pytest.raises(ClusterUnreachable, match=r"within 0.5 s"),
        ):
            cluster.version()
        thread.join()


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    with (
        to("http://no-such-host.invalid", tmp_path) as cluster,
        pytest.raises(ClusterUnreachable, match=r"no such host no-such-host.invalid"),
    ):
        cluster.version()


def test_https_asked_of_a_plain_http_server_is_explained(api: ScriptedApi, tmp_path: Path) -> None:
    with (
        to(api.url.replace("http:", "https:"), tmp_path) as cluster,
        pytest.raises(ClusterUnreachable, match="does not speak TLS") as caught,
    ):
        cluster.version()
    assert "http://HOST:PORT" in caught.value.hint


def test_a_kept_connection_that_was_closed_while_idle_is_opened_anew(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(Answer({}, headers={"Connection": "keep-alive"}))
    cluster.version()
    # The next request meets a server that hangs up without a word, once.
    hung_up: list[bool] = []

    def script(_asked: Any) -> Answer:
        if not hung_up:
            hung_up.append(True)
            raise ConnectionAbortedError
        return Answer({"gitVersion": "v1"})

    api.script = script
    api.handle_error = lambda *_: None  # type: ignore[method-assign]
    assert cluster.version() == {"gitVersion": "v1"}


def test_over_plain_http_go_impersonation_headers_but_no_credentials_as_in_kubectl(
    api: ScriptedApi, tmp_path: Path
) -> None:
    flags = {"token": "secret", "as_user": "jane", "as_groups": ("a", "b")}
    with to(api.url, tmp_path, **flags) as cluster:
        cluster.version()
    headers = api.asked[0].headers
    assert headers["Authorization"] is None
    assert headers["Impersonate-User"] == "jane"
    assert headers.get_all("Impersonate-Group") == ["a", "b"]


def test_a_secret_that_no_header_may_hold_is_refused_and_not_shown(tmp_path: Path) -> None:
    with (
        to("https://127.0.0.1:1", tmp_path, token="se\ncret") as cluster,
        pytest.raises(KubeconfigError, match="no HTTP header may hold") as caught,
    ):
        cluster.version()
    assert "cret" not in caught.value.message


def test_names_outside_ascii_are_sent_as_utf8(api: ScriptedApi, tmp_path: Path) -> None:
    with to(api.url, tmp_path, as_user="jürgen") as cluster:
        cluster.version()
    assert api.asked[0].headers["Impersonate-User"].encode("latin-1").decode() == "jürgen"


def test_logs_are_text_whatever_bytes_they_hold(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(Answer(b"ok\n\xff\xfe\n", headers={"Content-Type": "text/plain"}))
    text = cluster.logs("shop", "web", "main", previous=True, tail_lines=5)
    assert text == "ok\n\ufffd\ufffd\n"
    assert api.asked[0].path == "/api/v1/namespaces/shop/pods/web/log"
    expected = {"container": "main", "previous": "true", "tailLines": "5"}
    assert expected.items() <= api.asked[0].query.items()


def test_a_server_with_a_path_keeps_it(api: ScriptedApi, tmp_path: Path) -> None:
    with to(f"{api.url}/k8s/clusters/c-1/", tmp_path) as cluster:
        cluster.version()
    assert api.asked[0].path == "/k8s/clusters/c-1/version"
