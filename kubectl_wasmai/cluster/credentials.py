"""Who we are, asked for every request: tokens rotate, plugins' credentials expire."""

from __future__ import annotations

import base64
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.cluster import exec_plugin
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_wasmai.cluster.target import Target

_TOKEN_FILE_SECONDS = 60.0  # as client-go: read again after a minute


class Credentials:
    """The Authorization header and the client certificate of a target, always fresh.

    Precedence is client-go's: token, token file and basic auth keep a plugin from running.
    """

    def __init__(self, target: Target, warn: Callable[[str], None]) -> None:
        self._target = target
        self._warn = warn
        self._lock = threading.Lock()
        self._plugin: exec_plugin.Credential | None = None
        self._file_token = ""
        self._read_at = -_TOKEN_FILE_SECONDS
        self._oidc: Any = None
        given = target.token or target.token_file or target.username or target.password
        # Plain http: kubectl does not even look for credentials there.
        self._uses_plugin = bool(
            target.secure and target.exec and not (given or target.cert_file or target.cert_data)
        )

    def authorization(self) -> str:
        """The header's value, or "". Raises KubeconfigError when a credential cannot be had."""
        target = self._target
        token = ""
        if not target.secure:
            pass
        elif target.token_file:
            token = self._token_from_file()
        elif target.token:
            token = target.token
        elif target.username or target.password:
            pair = f"{target.username}:{target.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        elif target.auth_provider:
            return self._from_auth_provider()
        elif self._uses_plugin:
            token = self._from_plugin().token
        return f"Bearer {token}" if token else ""

    def certificate(self) -> tuple[bytes, bytes]:
        """PEM of the client certificate and its key; empty without one. Raises KubeconfigError."""
        target = self._target
        if self._uses_plugin:
            found = self._from_plugin()
            return found.certificate, found.key
        if not target.secure or not (target.cert_data or target.cert_file):
            return b"", b""
        return (
            target.cert_data or read_pem(target.cert_file, "client certificate"),
            target.key_data or read_pem(target.key_file, "client key"),
        )

    def renew(self) -> bool:
        """After a 401: drop what may be stale. False when there is nothing to try again with."""
        with self._lock:
            self._read_at = -_TOKEN_FILE_SECONDS
            renewable = self._plugin is not None
            self._plugin = None
        return renewable

    def _from_plugin(self) -> exec_plugin.Credential:
        with self._lock:  # a plugin may ask the user: never two at once
            found = self._plugin
            if found is None or (found.expires is not None and found.expires <= time.time()):
                assert self._target.exec is not None  # noqa: S101 - _uses_plugin says so
                found = exec_plugin.run(self._target, self._target.exec)
                if found.words:
                    self._warn(found.words)
                self._plugin = found
            return found

    def _token_from_file(self) -> str:
        with self._lock:
            if time.monotonic() - self._read_at >= _TOKEN_FILE_SECONDS:
                try:
                    text = Path(self._target.token_file).read_text("utf-8").strip()
                except (OSError, ValueError) as error:
                    text = ""
                    problem = f"cannot read the token file {self._target.token_file}: {error}"
                else:
                    problem = f"the token file {self._target.token_file} is empty"
                # The last good token outlives a file that is being replaced.
                self._file_token = text or self._file_token or self._target.token
                if not self._file_token:
                    raise KubeconfigError(problem, "Write the token there, or pass --token.")
                self._read_at = time.monotonic()
            return self._file_token

    def _from_auth_provider(self) -> str:
        with self._lock:
            if self._oidc is None:
                from kubectl_wasmai.cluster import legacy_auth

                self._oidc = legacy_auth.load(self._target)
            return str(self._oidc.get_api_key_with_prefix("BearerToken"))


def read_pem(path: str, what: str) -> bytes:
    """The bytes of ``path``. Raises KubeconfigError."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise KubeconfigError(
            f"unable to read the {what} {path}: {why}", "Check the path in the kubeconfig."
        ) from error
