"""Credential plugins: the exec protocol ``client.authentication.k8s.io/v1`` and ``v1beta1``.

The client library's own runner logs a plugin's failure and goes on without credentials, and knows
no client certificates; so this is ours. A plugin that fails ends the command with its own words.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.target import ExecConfig, Target

_PLUGIN_SECONDS = 120.0
_SHOWN = 2000  # characters of a plugin's words worth repeating


@dataclass(frozen=True)
class Credential:
    """What a plugin returned: a token, a PEM certificate with key, or both.

    ``expires`` is in seconds since the epoch, None when it does not expire. ``words`` is what the
    plugin said on stderr though it succeeded.
    """

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""
    expires: float | None = None
    words: str = ""


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _Answer(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


def run(target: Target, plugin: ExecConfig) -> Credential:
    """Run the plugin and read its answer. Raises KubeconfigError with the plugin's own words."""
    interactive = _interactive(plugin)
    info = {
        "kind": "ExecCredential",
        "apiVersion": plugin.api_version,
        "spec": {"interactive": interactive},
    }
    if plugin.provide_cluster_info:
        info["spec"]["cluster"] = _cluster_info(target)  # type: ignore[index]  # built just above
    environment = {**os.environ, **dict(plugin.env)}
    try:
        environment["KUBERNETES_EXEC_INFO"] = json.dumps(info)
        done = subprocess.run(
            [plugin.command, *plugin.args],
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # A plugin that asks for a code must be seen while it waits.
            stderr=None if interactive else subprocess.PIPE,
            timeout=None if interactive else _PLUGIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(plugin, f"gave no answer in {_PLUGIN_SECONDS:.0f} s", error.stderr) from error
    except FileNotFoundError as error:
        raise _missing(plugin) from error
    except (OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _failed(plugin, f"could not be run: {why}", b"") from error
    if done.returncode != 0:
        raise _failed(plugin, f"failed with exit code {done.returncode}", done.stderr)
    return _read(plugin, done.stdout, done.stderr)


def _interactive(plugin: ExecConfig) -> bool:
    """As in kubectl it is stdin that counts: ``-o json | jq`` may still ask for a password."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not terminal:
        raise KubeconfigError(
            f"exec plugin {plugin.command} cannot run: it asks questions (interactiveMode: Always) "
            "and standard input is not a terminal",
            "Run the command in a terminal, or log in first with your provider's tool.",
        )
    return terminal and plugin.interactive_mode != "Never"


def _cluster_info(target: Target) -> dict[str, Any]:
    authority = target.ca_data
    if not authority and target.ca_file:
        with open(target.ca_file, "rb") as file:  # noqa: PTH123 - one read
            authority = file.read()
    info: dict[str, Any] = {"server": target.server, "config": target.exec_extension}
    info["tls-server-name"] = target.tls_server_name
    info["insecure-skip-tls-verify"] = target.insecure
    info["certificate-authority-data"] = base64.b64encode(authority).decode()
    info["proxy-url"] = target.proxy_url
    return {key: value for key, value in info.items() if value}


def _read(plugin: ExecConfig, stdout: bytes, stderr: bytes | None) -> Credential:
    try:
        answer = msgspec.json.decode(stdout, type=_Answer)
    except msgspec.DecodeError as error:
        raise _failed(plugin, f"printed no ExecCredential: {error}", stderr) from error
    status = answer.status or _Status()
    certificate, key = status.client_certificate_data or "", status.client_key_data or ""
    problem = ""
    if answer.kind != "ExecCredential" or answer.api_version != plugin.api_version:
        problem = (
            f"is configured to use API version {plugin.api_version}, "
            f"but returned {answer.kind or 'no kind'} {answer.api_version or 'of no version'}"
        )
    elif answer.status is None:
        problem = "didn't return a status field"
    elif not (status.token or certificate or key):
        problem = "didn't return a token or cert/key pair"
    elif bool(certificate) != bool(key):
        problem = "returned only certificate or key, not both"
    if problem:
        raise _failed(plugin, problem, stderr)
    expires = status.expiration_timestamp
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=timezone.utc)
    return Credential(
        token=status.token or "",
        certificate=certificate.encode(),
        key=key.encode(),
        expires=expires.timestamp() if expires else None,
        words=_words(stderr),
    )


def _missing(plugin: ExecConfig) -> KubeconfigError:
    hint = plugin.install_hint.strip() or (
        "It is a client-go credential plugin: install it, or repair `command` in the kubeconfig."
    )
    return KubeconfigError(f"exec: executable {plugin.command} not found", _printable(hint))


def _failed(plugin: ExecConfig, what: str, stderr: bytes | None) -> KubeconfigError:
    words = _words(stderr)
    return KubeconfigError(
        f"exec plugin {plugin.command} {what}" + (f":\n{words}" if words else ""),
        "Run it by hand to see more, or log in again with your provider's tool.",
    )


def _words(stderr: bytes | None) -> str:
    return _printable((stderr or b"").decode("utf-8", "replace").strip())[-_SHOWN:]


def _printable(text: str) -> str:
    """A plugin must not move the cursor or colour the terminal through our messages."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"U+{ord(c):04X}" for c in text)
