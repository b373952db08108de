"""Credentials as docker, podman and their helpers keep them."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.registry.credentials import Credentials, find_credentials

if TYPE_CHECKING:
    from pathlib import Path

HOST = "registry.example.com"


def auth(pair: str) -> dict[str, str]:
    return {"auth": base64.b64encode(pair.encode()).decode()}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def docker(home: Path, **config: Any) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps(config))


def helper(home: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "test") -> None:
    """A credential helper on PATH, as a shell script."""
    (home / "bin").mkdir(exist_ok=True)
    program = home / "bin" / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_without_any_file_nobody_is_logged_in() -> None:
    assert find_credentials(HOST, "team/mnist") is None


@pytest.mark.parametrize("key", [HOST, f"https://{HOST}", f"https://{HOST}/v1/", f"{HOST}/v2/"])
def test_a_password_of_docker_login_is_found(home: Path, key: str) -> None:
    docker(home, auths={key: auth("jane:se:cret")})

    assert find_credentials(HOST, "team/mnist") == Credentials("jane", "se:cret")
    assert find_credentials("other.example.com", "team/mnist") is None


def test_docker_hub_has_a_key_of_its_own(home: Path) -> None:
    docker(home, auths={"https://index.docker.io/v1/": auth("jane:x")})

    assert find_credentials("docker.io", "library/a") == Credentials("jane", "x")


def test_docker_config_says_where_the_file_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.json").write_text(json.dumps({"auths": {HOST: auth("jane:x")}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(home))

    assert find_credentials(HOST, "a") == Credentials("jane", "x")


def test_podmans_file_may_speak_of_one_repository(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "containers").mkdir()
    auths = {HOST: auth("all:x"), f"{HOST}/team": auth("team:y"), f"{HOST}/team/a": auth("a:z")}
    (home / "containers" / "auth.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))

    assert find_credentials(HOST, "team/a") == Credentials("a", "z")
    assert find_credentials(HOST, "team/b") == Credentials("team", "y")
    assert find_credentials(HOST, "c") == Credentials("all", "x")


def test_an_explicit_file_is_the_only_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(home, auths={HOST: auth("jane:x")})
    (home / "own.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "own.json"))

    assert find_credentials(HOST, "a") is None


def test_an_identity_token_is_no_password(home: Path) -> None:
    docker(home, auths={HOST: {**auth("jane:"), "identitytoken": "t"}})

    assert find_credentials(HOST, "a") == Credentials("jane", "", "t")


def test_a_helper_is_asked_for_its_registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(
        home,
        monkeypatch,
        f'read host; [ "$1 $host" = "get {HOST}" ] && '
        'echo \'{"ServerURL": "x", "Username": "jane", "Secret": "s"}\'',
    )
    docker(home, credHelpers={HOST: "test"}, auths={HOST: {}})

    assert find_credentials(HOST, "a") == Credentials("jane", "s")


def test_a_helper_may_keep_a_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(home, monkeypatch, 'echo \'{"Username": "<token>", "Secret": "t"}\'')
    docker(home, credsStore="test")

    assert find_credentials(HOST, "a") == Credentials(identity_token="t")


def test_a_store_that_knows_nothing_of_a_registry_is_no_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(home, monkeypatch, "echo credentials not found in native keychain; exit 1")
    docker(home, credsStore="test", auths={HOST: auth("jane:x")})

    assert find_credentials(HOST, "a") == Credentials("jane", "x")
    assert find_credentials("other.example.com", "a") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo locked >&2; exit 1", "failed: locked"),
        ("echo no json", "no credential"),
        ("echo '[]'", "no credential"),
        ("exit 3", "it said nothing"),
    ],
)
def test_a_helper_in_trouble_is_no_anonymous_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    helper(home, monkeypatch, script)
    docker(home, credsStore="test")

    with pytest.raises(RegistryError, match=words):
        find_credentials(HOST, "a")


def test_a_helper_that_is_not_installed_is_named(home: Path) -> None:
    docker(home, credsStore="absent-here")

    with pytest.raises(RegistryError, match="docker-credential-absent-here, which is not on PATH"):
        find_credentials(HOST, "a")


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", ""])
def test_a_helpers_name_is_no_path(home: Path, name: str) -> None:
    docker(home, credHelpers={HOST: name})
    if name:
        with pytest.raises(RegistryError, match="is no name"):
            find_credentials(HOST, "a")
    else:
        assert find_credentials(HOST, "a") is None


def test_a_broken_file_is_named(home: Path) -> None:
    docker(home)
    (home / ".docker" / "config.json").write_text("{")

    with pytest.raises(RegistryError, match=r"config\.json"):
        find_credentials(HOST, "a")


@pytest.mark.parametrize(
    "auths", [{HOST: {"auth": "%%%"}}, {HOST: 3}, [], {HOST: {"auth": ""}}, {HOST: {}}]
)
def test_entries_without_sense_are_passed_over(home: Path, auths: Any) -> None:
    docker(home, auths=auths)

    assert find_credentials(HOST, "a") is None


def test_credentials_are_never_printed() -> None:
    assert "secret" not in repr(Credentials("jane", "secret", "secret"))
