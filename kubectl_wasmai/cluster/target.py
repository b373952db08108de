"""One cluster and one identity, with every kubeconfig rule already applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ExecConfig:
    """How to run a credential plugin; the words are the kubeconfig's."""

    command: str
    api_version: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"


@dataclass(frozen=True)
class Impersonation:
    """Whom to act as; ``user`` is empty when nobody is impersonated."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """The Impersonate-* headers, groups and extras repeated as the API expects."""
        if not self.user:
            return []
        headers = [("Impersonate-User", self.user)]
        if self.uid:
            headers.append(("Impersonate-Uid", self.uid))
        headers += [("Impersonate-Group", group) for group in self.groups]
        for key, values in self.extra:
            headers += [(f"Impersonate-Extra-{_escape(key)}", value) for value in values]
        return headers


def _escape(key: str) -> str:
    """Percent-encode what a header name may not hold, as client-go does: ``/`` becomes ``%2f``."""
    legal = frozenset(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&'*+-.^_`|~"
    )
    return "".join(
        character if character in legal else "".join(f"%{byte:02x}" for byte in character.encode())
        for character in key
    )


@dataclass(frozen=True)
class Target:
    """Where requests go and as whom.

    Certificates and keys are PEM, given inline (``*_data``) or as an absolute path (``*_file``);
    the inline one wins. ``context`` is empty in a pod and with ``--server`` alone.
    """

    server: str
    context: str = ""
    namespace: str = "default"
    tls_server_name: str = ""
    insecure: bool = False
    ca_file: str = ""
    ca_data: bytes = b""
    cert_file: str = ""
    cert_data: bytes = b""
    key_file: str = ""
    key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    exec: ExecConfig | None = None
    auth_provider: tuple[str, dict[str, str]] | None = None
    proxy_url: str = ""
    disable_compression: bool = False
    impersonation: Impersonation = Impersonation()
    exec_extension: Any = field(default=None, repr=False)

    @property
    def secure(self) -> bool:
        """Whether credentials may be sent: kubectl sends none over plain http either."""
        return self.server.startswith("https://")

    @property
    def place(self) -> str:
        """The server, and the context that chose it, for error messages."""
        return f"{self.server} (context {self.context!r})" if self.context else self.server
