"""A Kubernetes control plane as child processes: etcd, kube-apiserver and, when asked, the rest.

Needs no root, no network beyond the loopback device and one folder. The integration tests run
it on 127.0.0.1; the lab runs the same inside its network namespace, with controllers.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from .kubeconfig import write_kubeconfig
from .pki import Authority, create_key_pair
from .processes import Component, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

SERVICE_RANGE = "10.96.0.0/16"


@dataclass(frozen=True)
class Ports:
    """TCP ports of the control plane; the defaults are Kubernetes' usual ones."""

    api: int = 6443
    etcd_client: int = 2379
    etcd_peer: int = 2380

    @classmethod
    def free(cls, address: str = "127.0.0.1") -> Ports:
        """Ports nobody uses now; held together until all are known, so that none comes twice."""
        sockets = [socket.socket() for _ in range(3)]
        try:
            for one in sockets:
                one.bind((address, 0))
            return cls(*(one.getsockname()[1] for one in sockets))
        finally:
            for one in sockets:
                one.close()


class ControlPlane:
    """etcd and kube-apiserver, and with `controllers` the controller manager and scheduler.

    `prefix` is put before every command (an nsenter, say); `hosts` are more names for the
    server's certificate. Usable as a context manager, which starts, waits and stops.
    """

    def __init__(
        self,
        bin_dir: Path,
        data_dir: Path,
        address: str = "127.0.0.1",
        *,
        ports: Ports | None = None,
        controllers: bool = False,
        prefix: Sequence[str] = (),
        hosts: Sequence[str] = (),
        log_dir: Path | None = None,
    ) -> None:
        self.bin_dir = bin_dir
        self.data_dir = data_dir
        self.address = address
        self.ports = ports or Ports.free(address)
        self.controllers = controllers
        self.prefix = tuple(prefix)
        self.hosts = tuple(hosts)
        self.log_dir = log_dir or data_dir / "logs"
        self.ca = Authority(data_dir / "pki")
        # Where this process finds the API server when it runs in other namespaces.
        self.reached_at: tuple[str, int] | None = None
        self.components: list[Component] = []

    @property
    def url(self) -> str:
        """The API server's address as its own namespaces see it."""
        return f"https://{self.address}:{self.ports.api}"

    def start(self) -> None:
        """Make the certificates and start the programs; returns before they are ready."""
        self.ca = Authority.create(self.data_dir / "pki")
        create_key_pair(self.ca.directory, "service-accounts")
        self._launch("etcd", self._etcd_arguments())
        self._launch("kube-apiserver", self._api_server_arguments())
        if self.controllers:
            self._launch("kube-controller-manager", self._controller_manager_arguments())
            self._launch("kube-scheduler", self._scheduler_arguments())

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Until the API server says it is ready; seconds. Raises LabError with a log's end."""
        etcd, api_server, *_ = self.components
        wait_until([etcd, api_server], "readiness of kube-apiserver", self._is_ready, timeout)

    def stop(self) -> None:
        """End all programs, the last started first."""
        for component in reversed(self.components):
            component.stop()
        self.components.clear()

    def kubeconfig(
        self,
        user: str = "admin",
        organizations: Sequence[str] = ("system:masters",),
        server: str | None = None,
    ) -> Path:
        """A kubeconfig for a user with a client certificate of those groups."""
        identity = self.ca.issue(user, organizations)
        path = self.data_dir / f"{identity.certificate.stem}.kubeconfig"
        return write_kubeconfig(path, server or self.url, self.ca.certificate, identity)

    def __enter__(self) -> ControlPlane:  # noqa: PYI034 - Self is not in Python 3.10
        """Start and wait; whatever goes wrong, nothing keeps running."""
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def request(self, path: str) -> tuple[int, bytes]:
        """GET as the administrator, from this process."""
        admin = self.ca.issue("admin", ["system:masters"])
        context = ssl.create_default_context(cafile=str(self.ca.certificate))
        context.load_cert_chain(admin.certificate, admin.key)
        host, port = self.reached_at or (self.address, self.ports.api)
        connection = http.client.HTTPSConnection(host, port, timeout=5, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _is_ready(self) -> bool:
        try:
            return self.request("/readyz")[0] == HTTPStatus.OK
        except OSError:
            return False

    def _launch(self, name: str, arguments: Sequence[str]) -> None:
        component = Component(
            name, [self.bin_dir / name, *arguments], self.log_dir / f"{name}.log", self.prefix
        )
        component.start()
        self.components.append(component)

    def _etcd_arguments(self) -> list[str]:
        client = f"http://127.0.0.1:{self.ports.etcd_client}"
        peer = f"http://127.0.0.1:{self.ports.etcd_peer}"
        return [
            f"--data-dir={self.data_dir / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # The data dies with the cluster; waiting for the disk would only slow it down.
            "--unsafe-no-fsync",
            # It waits for an election to end that has one candidate.
            "--heartbeat-interval=10",
            "--election-timeout=100",
            "--log-level=warn",
        ]

    def _api_server_arguments(self) -> list[str]:
        hosts = [
            self.address, "127.0.0.1", "localhost", "10.96.0.1", "kubernetes",
            "kubernetes.default", "kubernetes.default.svc", *self.hosts,
        ]  # fmt: skip
        server = self.ca.issue("kube-apiserver", hosts=list(dict.fromkeys(hosts)))
        kubelet_client = self.ca.issue("kube-apiserver-kubelet-client", ["system:masters"])
        return [
            f"--etcd-servers=http://127.0.0.1:{self.ports.etcd_client}",
            f"--bind-address={self.address}",
            f"--secure-port={self.ports.api}",
            *self._advertisement(),
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--client-ca-file={self.ca.certificate}",
            f"--kubelet-certificate-authority={self.ca.certificate}",
            f"--kubelet-client-certificate={kubelet_client.certificate}",
            f"--kubelet-client-key={kubelet_client.key}",
            # Nothing resolves the nodes' names, so logs and exec must go by address.
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.ca.directory / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={self.ca.directory / 'service-accounts.key'}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
        ]

    def _advertisement(self) -> list[str]:
        if not ipaddress.ip_address(self.address).is_loopback:
            return [f"--advertise-address={self.address}"]
        # A loopback address may not be advertised. An address from the range for documentation
        # satisfies the check, and without a reconciler nobody is ever told about it.
        return ["--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none"]

    def _controller_manager_arguments(self) -> list[str]:
        config = self.kubeconfig("system:kube-controller-manager", ())
        return [
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            f"--root-ca-file={self.ca.certificate}",
            f"--cluster-signing-cert-file={self.ca.certificate}",
            f"--cluster-signing-key-file={self.ca.key}",
            f"--service-account-private-key-file={self.ca.directory / 'service-accounts.key'}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
        ]

    def _scheduler_arguments(self) -> list[str]:
        config = self.kubeconfig("system:kube-scheduler", ())
        return [
            f"--kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            "--leader-elect=false",
        ]


def version(control_plane: ControlPlane) -> str:
    """The version the API server reports, such as v1.34.4."""
    _, body = control_plane.request("/version")
    return str(json.loads(body)["gitVersion"])
