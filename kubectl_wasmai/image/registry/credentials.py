"""Credentials for registries, where docker, podman and their helpers keep them.

Sources: docker's ``config.json`` and credential helper protocol (docker/docker-credential-helpers),
``containers-auth.json(5)``.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
HELPER_SECONDS = 60.0
"""Helpers may ask the user for a password of their own."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_IDENTITY = "<token>"
"""The user name by which a helper says that its secret is an identity token."""
_SEPARATOR = ":"


@dataclass(frozen=True, repr=False)
class Credentials:
    """A name and password, or an identity token. Never shown: there is no repr."""

    username: str = ""
    password: str = ""
    identity_token: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()


def find_credentials(registry: str, repository: str) -> Credentials | None:
    """What is stored for that registry, or None: then it is asked anonymously.

    Raises RegistryError where a configured helper is missing or fails, or a file is broken.
    """
    for path in config_files():
        config = _read(path)
        found = config and _find(config, path, registry, repository)
        if found:
            return found
    return None


def config_files() -> Iterator[Path]:
    """Where credentials may be, the first with an answer wins."""
    if explicit := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(explicit)
        return
    yield Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    yield Path(config) / "containers" / "auth.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"cannot read the registry credentials in {path}: {error}",
            "repair the file, or log in again (docker login, podman login)",
        ) from error
    return config if isinstance(config, dict) else None


def _find(config: dict[str, Any], path: Path, registry: str, repository: str) -> Credentials | None:
    keys = _keys(registry, repository)
    helpers = _object(config, "credHelpers")
    for key in keys:
        if helper := helpers.get(key):
            return _ask_helper(str(helper), key, path)
    if store := config.get("credsStore"):
        found = _ask_helper(str(store), keys[-1], path)
        if found:
            return found
    auths = {_plain(key): value for key, value in _object(config, "auths").items()}
    for key in keys:
        entry = auths.get(_plain(key))
        if isinstance(entry, dict) and (found := _stored(entry)):
            return found
    return None


def _keys(registry: str, repository: str) -> list[str]:
    """The most special first: containers' files may name a repository or a part of its path."""
    parts = repository.split("/")
    paths = [f"{registry}/{'/'.join(parts[:n])}" for n in range(len(parts), 0, -1)]
    return [*paths, DOCKER_HUB_KEY if registry == DOCKER_HUB else registry]


def _plain(key: str) -> str:
    """Old files spell a registry as a URL."""
    host = key.partition("://")[2] or key
    for version in ("/v1", "/v2"):
        host = host.rstrip("/").removesuffix(version)
    return host


def _stored(entry: dict[str, Any]) -> Credentials | None:
    token = str(entry.get("identitytoken") or "")
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if auth := entry.get("auth"):
        try:
            text = base64.b64decode(str(auth), validate=True).decode().rstrip("\0")
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, _, password = text.partition(_SEPARATOR)
    if token or username:
        return Credentials(username, password, token)
    return None


def _ask_helper(name: str, key: str, path: Path) -> Credentials | None:
    """What ``docker-credential-NAME get`` answers; None where it knows nothing of that registry."""
    program = f"docker-credential-{name}"
    if not _NAME.fullmatch(name):
        raise RegistryError(f"{path} names the credential helper {name!r}, which is no name")
    try:
        done = subprocess.run(
            [program, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise RegistryError(
            f"{path} keeps credentials in {program}, which is not on PATH",
            f"install {program}, or take it out of that file and log in again",
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RegistryError(f"{program} gave no answer: {error}") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        if "not found" in said.lower():
            return None
        raise RegistryError(f"{program} failed: {said[:300] or 'it said nothing'}")
    try:
        answer = json.loads(done.stdout)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{program} gave an answer that is no credential") from error
    if username == _IDENTITY:
        return Credentials(identity_token=secret)
    return Credentials(username, secret) if username else None


def _object(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}
