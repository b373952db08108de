"""Images to a real registry and back: TLS, credentials, what is sent and what is not."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from onnx_builders import small_model
from registries import PASSWORD, USER, Image, RegistryServer, docker_config

from kubectl_wasmai.image.registry import connection

if TYPE_CHECKING:
    from pathlib import Path

    from wasmlab.pki import Authority


pytestmark = pytest.mark.integration


def digest(said: str) -> str:
    found = re.search(r"sha256:[0-9a-f]{64}", said)
    assert found, said
    return found[0]


@pytest.fixture
def trust(authority: Authority) -> tuple[str, Path]:
    return "--certificate-authority", authority.certificate


@pytest.mark.usefixtures("store", "logged_in")
def test_an_image_goes_to_a_registry_with_tls_and_credentials_and_comes_back(
    image: Image,
    secured: RegistryServer,
    trust: tuple[str, Path],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"{secured.host}/team/round:1"
    pushed = image("push", "local/mnist:1", "--as", name, *trust)
    assert (pushed.code, pushed.err) == (0, "blobs: 4 uploaded\n"), pushed

    monkeypatch.setenv("WASMAI_IMAGES", str(home / "other"))
    pulled = image("pull", name, *trust)
    assert pulled.code == 0, pulled
    assert digest(pulled.out) == digest(pushed.out)
    first, second = (
        {p.name: p.read_bytes() for p in (home / each / "blobs/sha256").iterdir()}
        for each in ("store", "other")
    )
    assert first == second


@pytest.mark.usefixtures("store", "logged_in")
def test_what_is_there_is_not_sent_again_not_even_to_a_neighbour(
    image: Image, secured: RegistryServer, trust: tuple[str, Path]
) -> None:
    for name, told in (
        ("team/again:1", "4 uploaded"),
        ("team/again:2", "4 present"),
        ("team/neighbour:1", "4 mounted"),
    ):
        pushed = image("push", "local/mnist:1", "--as", f"{secured.host}/{name}", *trust)
        assert pushed.err == f"blobs: {told}\n", pushed


@pytest.mark.usefixtures("store", "logged_in")
def test_an_image_is_inspected_where_it_lies(
    image: Image, secured: RegistryServer, trust: tuple[str, Path]
) -> None:
    name = f"{secured.host}/team/look:1"
    pushed = image("push", "local/mnist:1", "--as", name, *trust)
    there = image("inspect", name, *trust, "-o", "json")
    here = image("inspect", "local/mnist:1", "-o", "json")

    assert there.code == 0, there
    remote, local = json.loads(there.out), json.loads(here.out)
    assert remote["digest"] == digest(pushed.out)
    assert remote["platforms"] == local["platforms"]
    assert (remote["source"], remote["attached"]) == (secured.host, [])
    by_digest = image("inspect", f"{secured.host}/team/look@{digest(pushed.out)}", *trust)
    assert by_digest.code == 0, by_digest


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("flags", [(), ("--plain-http",)])
def test_a_registry_on_this_machine_needs_no_tls(
    image: Image, open_registry: RegistryServer, flags: tuple[str, ...]
) -> None:
    name = f"{open_registry.host}/plain:1"
    assert image("push", "local/mnist:1", "--as", name, *flags).code == 0
    assert image("pull", name, *flags).code == 0


@pytest.mark.usefixtures("store")
def test_elsewhere_plain_http_must_be_asked_for(
    image: Image, open_registry: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubectl_wasmai.image.registry.client.is_loopback", lambda _: False)
    refused = image("push", "local/mnist:1", "--as", f"{open_registry.host}/plain:1")

    assert refused.code == 1
    assert "does not speak TLS" in refused.err
    assert "--plain-http" in refused.err


@pytest.mark.usefixtures("store", "logged_in")
def test_a_certificate_must_be_trusted(
    image: Image,
    secured: RegistryServer,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"{secured.host}/tls:1"
    refused = image("push", "local/mnist:1", "--as", name)
    assert refused.code == 1
    assert "is not trusted" in refused.err

    assert image("push", "local/mnist:1", "--as", name, "--insecure-skip-tls-verify").code == 0
    folder = tmp_path / "certs.d" / secured.host
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
    monkeypatch.setattr(connection, "CERTIFICATES", (tmp_path / "certs.d",))
    assert image("pull", name).code == 0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("password", [None, "wrong"])
def test_nobody_gets_in_without_the_right_password(
    image: Image,
    secured: RegistryServer,
    trust: tuple[str, Path],
    home: Path,
    password: str | None,
) -> None:
    if password:
        docker_config(home / "docker", secured.host, password)
    refused = image("push", "local/mnist:1", "--as", f"{secured.host}/x:1", *trust)

    assert refused.code == 1
    assert "does not allow this for x (401" in refused.err
    assert f"docker login {secured.host}" in refused.err
    assert "wrong" not in refused.err


@pytest.mark.usefixtures("store")
def test_a_credential_helper_lets_one_in(
    image: Image,
    secured: RegistryServer,
    trust: tuple[str, Path],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = json.dumps({"Username": USER, "Secret": PASSWORD})
    (home / "bin").mkdir()
    (home / "bin" / "docker-credential-own").write_text(f"#!/bin/sh\necho '{answer}'\n")
    (home / "bin" / "docker-credential-own").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (home / "docker").mkdir()
    config = {"credHelpers": {secured.host: "own"}}
    (home / "docker" / "config.json").write_text(json.dumps(config))

    assert image("push", "local/mnist:1", "--as", f"{secured.host}/helped:1", *trust).code == 0


def test_what_is_not_there_is_said(
    image: Image, open_registry: RegistryServer, unused_port: int
) -> None:
    for words in (("pull",), ("inspect",)):
        missing = image(*words, f"{open_registry.host}/absent:1")
        assert missing.code == 1
        assert "has no image" in missing.err

    nobody = image("pull", f"localhost:{unused_port}/x:1")
    assert "no usable answer" in nobody.err
    assert "Connection refused" in nobody.err


@pytest.mark.usefixtures("store")
def test_a_changed_byte_in_the_registry_is_refused_and_nothing_of_it_stays(
    image: Image,
    open_registry: RegistryServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"{open_registry.host}/changed:1"
    pushed = image("push", "local/mnist:1", "--as", name)
    report = json.loads(image("inspect", "local/mnist:1", "-o", "json").out)
    layer = report["platforms"][0]["layers"][1]["digest"]
    monkeypatch.setenv("WASMAI_IMAGES", str(home / "other"))

    for blob in (layer, digest(pushed.out)):
        path = open_registry.blob_file(blob)
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        refused = image("pull", name)
        path.write_bytes(whole)
        assert refused.code == 1, refused
        assert not (home / "other" / "blobs" / "sha256" / blob[7:]).exists()
    assert image("pull", name).code == 0


def test_a_large_model_costs_little_memory(
    open_registry: RegistryServer, home: Path, measured: Image
) -> None:
    """300 MB that nothing can compress or skip, in processes of their own."""
    with (home / "weights").open("wb") as file:
        for _ in range(300):
            file.write(os.urandom(1 << 20))
    (home / "m.onnx").write_bytes(small_model(external="weights"))
    name = f"{open_registry.host}/large:1"
    for words in (
        ("build", home / "m.onnx", "-t", name, "--model-only"),
        ("push", name),
        ("rm", name),
        ("pull", name),
        ("save", name, "-o", home / "x.tar"),
        ("load", home / "x.tar"),
    ):
        said = measured(*words)
        assert said.code == 0, said
        kilobytes = int(said.err.splitlines()[-1])
        assert kilobytes < 60_000, (words, kilobytes)
