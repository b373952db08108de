"""Builders: a kubeconfig written to a file, and a cluster that is a scripted API server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_api import ScriptedApi

from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect

WriteKubeconfig = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that runs the tests are not the test's."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def write_kubeconfig(tmp_path: Path) -> WriteKubeconfig:
    """Write a kubeconfig of named entries: ``write(contexts={"dev": {...}}, current="dev")``."""

    def write(
        file: str = "config",
        current: str = "",
        contexts: dict[str, Any] | None = None,
        clusters: dict[str, Any] | None = None,
        users: dict[str, Any] | None = None,
    ) -> Path:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": current,
            "contexts": [{"name": n, "context": c} for n, c in (contexts or {}).items()],
            "clusters": [{"name": n, "cluster": c} for n, c in (clusters or {}).items()],
            "users": [{"name": n, "user": u} for n, u in (users or {}).items()],
        }
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def one_context(write_kubeconfig: WriteKubeconfig) -> WriteKubeconfig:
    """One context named like its file, with the given cluster and user entries."""

    def write(name: str = "dev", namespace: str = "", user: Any = None, **cluster: Any) -> Path:
        return write_kubeconfig(
            name,
            current=name,
            contexts={name: {"cluster": name, "user": name, "namespace": namespace}},
            clusters={name: {"server": f"https://{name}.example:6443", **cluster}},
            users={name: user or {"token": f"token-of-{name}"}},
        )

    return write


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cluster(api: ScriptedApi, tmp_path: Path) -> Iterator[Cluster]:
    """Connected to the scripted server, with no kubeconfig at all."""
    options = ConnectionOptions(server=api.url)
    with connect(options, environ={"HOME": str(tmp_path)}) as connected:
        yield connected
