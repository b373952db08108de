"""Real registries on loopback, with TLS and credentials, and networks that break."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from wasmlab.build import ensure_registries
from wasmlab.errors import LabError
from wasmlab.paths import node_root
from wasmlab.processes import Component, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.pki import Authority

Image = Callable[..., "Said"]
"""``kubectl wasmai image …`` as a fixture."""


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


USER, PASSWORD = "jane", "secret"
# bcrypt of PASSWORD; neither openssl nor Python can make one.
HTPASSWD = f"{USER}:$2b$05$Hyer/z04GMjq5aHWhWejl.A/VKzuFUZUsKYs/LEvTUvaD8Tj7aNDO\n"
KINDS = ("docker-registry", "distribution")
"""Debian's, of the 2.8 series that most places run; and 3.0, built from its module."""


@functools.cache  # the place of the programs follows HOME, which tests change
def program(kind: str) -> Path | None:
    """A registry's program, or None where it is not here and cannot be made."""
    if kind == "docker-registry":
        found = node_root() / "usr" / "bin" / kind
        return found if found.exists() else None
    try:
        return ensure_registries() / kind
    except LabError:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RegistryServer:
    """One registry; what it stores lies in ``folder/data``."""

    kind: str
    folder: Path
    tls: Authority | None = None
    auth: dict[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def host(self) -> str:
        """As it stands in names of images."""
        return f"localhost:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[RegistryServer]:
        path = program(self.kind)
        assert path is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        component = Component(self.kind, [path, *self._arguments()], self.folder / "log")
        component.start()
        try:
            wait_until([component], "the registry listens", self._listens, 20)
            yield self
        finally:
            component.stop()

    def _arguments(self) -> list[str]:
        if self.kind == "olareg":
            return [f"127.0.0.1:{self.port}"]
        config = self.folder / "config.json"
        config.write_text(json.dumps(self._config()))
        return ["serve", str(config)]

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"addr": f"127.0.0.1:{self.port}"}
        if self.tls:
            issued = self.tls.issue("localhost", hosts=["localhost", "127.0.0.1"])
            http["tls"] = {"certificate": str(issued.certificate), "key": str(issued.key)}
        storage = {"filesystem": {"rootdirectory": str(self.folder / "data")}}
        config = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {**storage, "delete": {"enabled": True}},
            "http": http,
        }
        return {**config, "auth": self.auth} if self.auth else config

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def blob_file(self, digest: str) -> Path:
        """Where a blob lies on disk."""
        name = digest.partition(":")[2]
        blobs = self.folder / "data" / "docker" / "registry" / "v2" / "blobs"
        return blobs / "sha256" / name[:2] / name / "data"

    def requests(self, *words: str) -> list[str]:
        """Lines of the access log with all of these words."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return [one for one in lines if '" "' in one and all(word in one for word in words)]


def htpasswd(folder: Path) -> dict[str, Any]:
    """The setting that lets in ``USER`` with ``PASSWORD``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    return {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}


def docker_config(folder: Path, host: str, password: str = PASSWORD) -> Path:
    """A folder for DOCKER_CONFIG, as ``docker login`` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return folder


class TokenServer:
    """Gives out tokens that a registry of the distribution project accepts, for ``seconds``.

    Registries accept tokens for a minute after their end, so tokens may begin past their end.
    """

    LEEWAY = 60

    def __init__(self, folder: Path, authority: Authority, seconds: float = 300) -> None:
        self.folder = folder
        self.seconds = seconds
        self.asked: list[tuple[str, str, str]] = []
        """User, kind of request and scope of each."""
        folder.mkdir(parents=True, exist_ok=True)
        self._key, self._certificate = folder / "token.key", folder / "token.crt"
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-keyout", str(self._key), "-out", str(self._certificate), "-subj", "/CN=tokens",
        )  # fmt: skip
        self.port = free_port()
        issued = authority.issue("localhost", hosts=["localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def auth(self) -> dict[str, Any]:
        """The registry's setting."""
        return {
            "token": {
                "realm": f"https://localhost:{self.port}/token",
                "service": "tests",
                "issuer": "tests",
                "rootcertbundle": str(self._certificate),
            }
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[TokenServer]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def token(self, scopes: list[str]) -> str:
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        der = self._certificate.read_text().replace("\n", "").split("-----")[2]
        header = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        claims = {
            "iss": "tests", "sub": USER, "aud": "tests", "jti": str(time.monotonic_ns()),
            "nbf": now - 120, "iat": now - 120, "access": access,
            "exp": int(time.time() + self.seconds - self.LEEWAY),
        }  # fmt: skip
        signed = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
        signature = _openssl("dgst", "-sha256", "-sign", str(self._key), stdin=signed.encode())
        return f"{signed}.{_b64(signature)}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "").partition(" ")[2]
                user, _, password = base64.b64decode(given).decode().partition(":")
                outer.asked.append((user, "GET", urlsplit(self.path).query))
                allowed = (user, password) == (USER, PASSWORD)
                self._answer(allowed, parse_qs(urlsplit(self.path).query).get("scope", []))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.asked.append(("", "POST", str(form.get("scope"))))
                allowed = form.get("refresh_token") == [PASSWORD]
                self._answer(allowed, form.get("scope", []))

            def _answer(self, allowed: bool, scopes: list[str]) -> None:
                data = json.dumps({"token": outer.token(scopes)} if allowed else {}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


class Network:
    """A way to a registry that breaks, or answers in its place, as often as a test wants.

    Counts the bytes that passed in each direction.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.cuts: list[tuple[str, int]] = []
        """For each of the next connections that get so far: ``up`` or ``down``, and after how
        many bytes it breaks."""
        self.answers: list[bytes] = []
        """Raw answers for the next connections, instead of the registry's."""
        self.up = self.down = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Network]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.answers:
                threading.Thread(target=_reply, args=(client, self.answers.pop(0))).start()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            for direction, pair in (("up", (client, server)), ("down", (server, client))):
                threading.Thread(target=self._pump, args=(direction, *pair), daemon=True).start()

    def _pump(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                passed += len(data)
                setattr(self, direction, getattr(self, direction) + len(data))
                if self.cuts and self.cuts[0][0] == direction and passed >= self.cuts[0][1]:
                    self.cuts.pop(0)
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reply(client: socket.socket, answer: bytes) -> None:
    with client, contextlib.suppress(OSError):
        client.recv(1 << 16)
        client.sendall(answer)


def _openssl(*words: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True)
    return done.stdout


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def environment(folder: Path) -> dict[str, str]:
    """For a process of its own: nothing of this user's."""
    return {
        **os.environ,
        "HOME": str(folder),
        "DOCKER_CONFIG": str(folder / "docker"),
        "XDG_STATE_HOME": str(folder / "state"),
        "WASMAI_IMAGES": str(folder / "store"),
    }
