"""A real kube-apiserver with etcd for the session, and the real kubectl to stand beside ours.

No controllers run: objects stay as they were written, and deleted namespaces stay Terminating.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wasmlab.build import ensure_control_plane
from wasmlab.control_plane import ControlPlane
from wasmlab.errors import LabError

from kubectl_wasmai.cluster import Cluster, ConnectionOptions, connect

Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]
Connect = Callable[..., Cluster]
Kubeconfig = Callable[..., Path]

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that runs the tests are not the test's."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def bin_dir() -> Path:
    """The folder of kube-apiserver, etcd and kubectl; tests that need it skip without."""
    try:
        return ensure_control_plane()
    except LabError as error:
        pytest.skip(f"no kube-apiserver and etcd: {error}")


@pytest.fixture(scope="session")
def control_plane(
    bin_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    data_dir = tmp_path_factory.mktemp("control-plane")
    with ControlPlane(bin_dir, data_dir) as running:
        yield running


@pytest.fixture
def clean_environ(tmp_path: Path, bin_dir: Path) -> dict[str, str]:
    """An environment without kubeconfig, proxies or a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def kubectl(clean_environ: dict[str, str]) -> Kubectl:
    """Run the real kubectl: ``kubectl("get", "pods", KUBECONFIG=path)``; never raises."""

    def run(*args: object, **environ: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", *map(str, args)],
            env={**clean_environ, **{name: str(value) for name, value in environ.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def connected(clean_environ: dict[str, str]) -> Iterator[Connect]:
    """Connect as the command line would: ``connected(context="a", KUBECONFIG=path)``."""
    opened: list[Cluster] = []

    def make(**given: Any) -> Cluster:
        environ = {name: str(given.pop(name)) for name in list(given) if name.isupper()}
        account = given.pop("service_account", Path("/nonexistent"))
        flags: dict[str, Any] = {
            name: str(v) if isinstance(v, Path) else v for name, v in given.items()
        }
        cluster = connect(
            ConnectionOptions(**flags),
            environ={**clean_environ, **environ},
            service_account=account,
        )
        opened.append(cluster)
        return cluster

    yield make
    for cluster in opened:
        cluster.close()


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, tmp_path: Path) -> Kubeconfig:
    """A kubeconfig of one context; ``cluster`` and ``user`` lay entries over the usual ones.

    ``user`` replaces the client certificate of ``identity`` altogether when ``alone`` is set.
    """

    def write(
        name: str = "dev",
        *,
        namespace: str = "",
        identity: tuple[str, tuple[str, ...]] = ("admin", ("system:masters",)),
        cluster: dict[str, Any] | None = None,
        user: dict[str, Any] | None = None,
        alone: bool = False,
    ) -> Path:
        base = json.loads(control_plane.kubeconfig(*identity).read_text())
        usual = {} if alone else base["users"][0]["user"]
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}
            ],
            "clusters": [
                {"name": name, "cluster": {**base["clusters"][0]["cluster"], **(cluster or {})}}
            ],
            "users": [{"name": name, "user": {**usual, **(user or {})}}],
        }
        path = tmp_path / f"{name}.kubeconfig"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def admin(control_plane: ControlPlane, connected: Connect) -> Cluster:
    """Connected with every right, in the namespace ``default``."""
    return connected(kubeconfig=control_plane.kubeconfig())


@pytest.fixture
def namespace(admin: Cluster) -> str:
    """A namespace of the test's own."""
    name = f"test-{next(_numbers)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    admin.request("POST", "/api/v1/namespaces", body=body)
    return name


@pytest.fixture
def cluster(control_plane: ControlPlane, connected: Connect, namespace: str) -> Cluster:
    """Connected with every right, in the test's own namespace."""
    return connected(kubeconfig=control_plane.kubeconfig(), namespace=namespace)


def user_info(cluster: Cluster) -> dict[str, Any]:
    """Who the API server says we are, as ``kubectl auth whoami``."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer: dict[str, Any] = cluster.request("POST", path, body=review).json()
    return dict(answer["status"]["userInfo"])


@pytest.fixture
def whoami() -> Callable[[Cluster], dict[str, Any]]:
    return user_info


@pytest.fixture
def kubectl_whoami(kubectl: Kubectl) -> Callable[..., dict[str, Any]]:
    def ask(*args: object, **environ: object) -> dict[str, Any]:
        done = kubectl("auth", "whoami", "-o", "json", *args, **environ)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)["status"]["userInfo"])

    return ask
