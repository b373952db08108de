"""Timeouts, TLS and proxies: ours beside the real kubectl's."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from wasmlab.pki import Authority

from kubectl_wasmai.errors import (
    ClusterUnreachable,
)
from kubectl_wasmai.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.control_plane import ControlPlane


pytestmark = pytest.mark.integration

CONFIG_MAP = Resource("ConfigMap", "configmaps")
V1 = "client.authentication.k8s.io/v1"


def test_a_silent_server_is_given_up_after_the_timeout_sooner_than_by_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        path = kubeconfig(cluster={"server": f"https://127.0.0.1:{silent.getsockname()[1]}"})
        began = time.monotonic()
        done = kubectl("get", "configmaps", f"--kubeconfig={path}", "--request-timeout=1s")
        theirs = time.monotonic() - began
        assert done.returncode == 1
        began = time.monotonic()
        with pytest.raises(ClusterUnreachable, match=r"no answer from .* within 1 s") as caught:
            connected(kubeconfig=path, request_timeout=1.0).version()
        ours = time.monotonic() - began
    assert "--request-timeout" in caught.value.hint
    assert 0.9 < ours < 1.5
    assert ours < theirs + 0.5


def test_a_refused_connection_is_one_sentence_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        path = kubeconfig("far", cluster={"server": f"https://127.0.0.1:{port}"})
        done = kubectl("get", "configmaps", f"--kubeconfig={path}")
        with pytest.raises(ClusterUnreachable) as caught:
            connected(kubeconfig=path).version()
    assert "did you specify the right host or port?" in done.stderr
    expected = f"the connection to https://127.0.0.1:{port} (context 'far') was refused"
    assert caught.value.message == expected


def both_fail(
    kubectl: Any, connected: Any, path: Path, *flags: str, **given: Any
) -> tuple[str, ClusterUnreachable]:
    done = kubectl("get", "configmaps", f"--kubeconfig={path}", *flags)
    assert done.returncode == 1
    with pytest.raises(ClusterUnreachable) as caught:
        connected(kubeconfig=path, **given).version()
    return done.stderr, caught.value


def test_an_untrusted_authority_is_said_to_be_one_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path / "other").certificate
    changed = {"certificate-authority-data": "", "certificate-authority": str(other)}
    theirs, ours = both_fail(kubectl, connected, kubeconfig(cluster=changed))
    assert "certificate signed by unknown authority" in theirs
    assert "certificate signed by an unknown authority" in ours.message
    assert str(other) in ours.hint


def test_without_an_authority_the_systems_own_count_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(cluster={"certificate-authority-data": ""})
    theirs, ours = both_fail(kubectl, connected, path)
    assert "certificate signed by unknown authority" in theirs
    assert "this system's authorities" in ours.hint


def test_a_certificate_for_another_name_is_said_to_be_one_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(cluster={"tls-server-name": "elsewhere.example"})
    theirs, ours = both_fail(kubectl, connected, path)
    assert "not elsewhere.example" in theirs
    assert "certificate for another name" in ours.message
    assert "elsewhere.example" in ours.message


def test_a_server_name_of_the_certificate_is_accepted_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(cluster={"tls-server-name": "kubernetes.default.svc"})
    assert kubectl("get", "configmaps", f"--kubeconfig={path}").returncode == 0
    assert connected(kubeconfig=path).version()["major"] == "1"


def test_an_unchecked_certificate_is_accepted_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig(cluster={"tls-server-name": "elsewhere.example"})
    flag = "--insecure-skip-tls-verify"
    assert kubectl("get", "configmaps", f"--kubeconfig={path}", flag).returncode == 0
    cluster = connected(kubeconfig=path, insecure_skip_tls_verify=True)
    assert cluster.version()["major"] == "1"


def test_plain_http_to_an_https_server_is_explained(
    kubeconfig: Any, kubectl: Any, connected: Any, control_plane: ControlPlane
) -> None:
    path = kubeconfig(cluster={"server": control_plane.url.replace("https", "http")})
    theirs, ours = both_fail(kubectl, connected, path)
    assert "for an unknown reason" in theirs  # kubectl hides the server's words here
    assert "expects https" in ours.message
    assert "https://HOST:PORT" in ours.hint


@contextlib.contextmanager
def connect_proxy() -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that knows CONNECT only; yields its URL and what it was asked."""
    asked: list[str] = []
    threads: list[threading.Thread] = []

    def pump(client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            asked.append(head.split(b"\r\n", 1)[0].decode())
            host, _, port = asked[-1].split()[1].rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                ends = {client: server, server: client}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=pump, args=(client,), daemon=True))
                threads[-1].start()

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_proxy_of_the_kubeconfig_is_used_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any, control_plane: ControlPlane
) -> None:
    with connect_proxy() as (url, asked):
        path = kubeconfig(cluster={"proxy-url": url})
        done = kubectl("get", "configmaps", f"--kubeconfig={path}", NO_PROXY="127.0.0.1")
        assert done.returncode == 0, done.stderr
        theirs = len(asked)
        cluster = connected(kubeconfig=path)
        assert cluster.version()["major"] == "1"
        cluster.close()
        assert theirs > 0
        assert len(asked) == theirs + 1
        place = control_plane.url.removeprefix("https://")
        assert {line.rpartition(" ")[0] for line in asked} == {f"CONNECT {place}"}


def test_a_proxy_that_is_not_there_is_named_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        path = kubeconfig(cluster={"proxy-url": url})
        theirs, ours = both_fail(kubectl, connected, path)
    assert "proxyconnect" in theirs or "refused" in theirs
    assert url in ours.message
    assert "proxy-url" in ours.hint


def test_this_machine_is_never_asked_through_the_environments_proxy_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    path = kubeconfig()
    proxied = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    assert kubectl("get", "configmaps", f"--kubeconfig={path}", **proxied).returncode == 0
    assert connected(kubeconfig=path).version()["major"] == "1"
