"""Signatures by the real cosign, with a key pair and without any network but the registry."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from registries import (
    Image,
    RegistryServer,
    Said,
    docker_config,
    htpasswd,
    program,
)

from kubectl_wasmai.image.registry.client import Registry
from kubectl_wasmai.image.registry.connection import RegistryOptions
from kubectl_wasmai.image.registry.referrers import fallback_tag, list_referrers
from kubectl_wasmai.image.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.pki import Authority

pytestmark = pytest.mark.integration


@dataclass
class Signing:
    """A user with a key pair, an image in a registry with TLS and passwords, and cosign."""

    home: Path
    server: RegistryServer
    trust: Path
    call: Image

    @property
    def name(self) -> str:
        return f"{self.server.host}/team/signed:1"

    def __call__(self, command: str, *words: object, trust: bool = True) -> Said:
        flags = ("--certificate-authority", self.trust) if trust else ()
        return self.call(command, self.name, *flags, *words)

    @property
    def repository(self) -> Repository:
        options = RegistryOptions(certificate_authority=self.trust)
        return Repository(Registry(self.server.host, options), "team/signed")


@pytest.fixture
def signing(
    cosign: Path,
    kind: str,
    authority: Authority,
    image: Image,
    store: object,  # noqa: ARG001 - the image that is signed
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Signing]:
    monkeypatch.setenv("PATH", f"{cosign}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COSIGN_PASSWORD", "x")
    for name in ("mine", "other"):
        words = ["cosign", "generate-key-pair", "--output-key-prefix", name]
        subprocess.run(words, cwd=home, capture_output=True, check=True)
    folder = home / "registry"
    with RegistryServer(kind, folder, authority, htpasswd(folder)).running() as server:
        docker_config(home / "docker", server.host)
        signing = Signing(home, server, authority.certificate, image)
        trust = ("--certificate-authority", authority.certificate)
        assert image("push", "local/mnist:1", "--as", signing.name, *trust).code == 0
        yield signing


def test_a_signature_is_made_found_and_verified_offline(signing: Signing) -> None:
    before = signing("inspect", "--remote")
    assert "signed      no" in before.out

    signed = signing("sign", "--key", signing.home / "mine.key", "--no-log")
    assert signed.code == 0, signed
    assert "signed      yes" in signing("inspect", "--remote").out

    verified = signing("verify", "--key", signing.home / "mine.pub", "--no-log")
    assert verified.code == 0, verified
    assert verified.out.startswith(f"verified {signing.server.host}/team/signed@sha256:")
    raw = signing("verify", "--key", signing.home / "mine.pub", "--no-log", "-o", "json")
    assert json.loads(raw.out)[0]["critical"]["image"]["docker-manifest-digest"]


def test_another_key_and_a_missing_signature_are_exit_code_3(signing: Signing) -> None:
    unsigned = signing("verify", "--key", signing.home / "mine.pub", "--no-log")
    assert (unsigned.code, "no signature" in unsigned.err) == (3, True), unsigned

    assert signing("sign", "--key", signing.home / "mine.key", "--no-log").code == 0
    other = signing("verify", "--key", signing.home / "other.pub", "--no-log")
    assert other.code == 3, other
    assert "do not run it" in other.err


def test_an_image_with_one_changed_byte_is_not_verified(signing: Signing, image: Image) -> None:
    """Its digest is another one, which nobody has signed, though the tag is the same."""
    assert signing("sign", "--key", signing.home / "mine.key", "--no-log").code == 0
    model = signing.home / "inputs" / "mnist.onnx"
    data = bytearray(model.read_bytes())
    data[data.index(b"hand")] ^= 1
    model.write_bytes(data)
    engine = signing.home / "inputs" / "own.wasm"
    assert image("build", model, "-t", signing.name, "--engine", engine).code == 0
    trust = ("--certificate-authority", signing.trust)
    assert image("push", signing.name, *trust).code == 0

    refused = signing("verify", "--key", signing.home / "mine.pub", "--no-log")
    assert (refused.code, "no signature" in refused.err) == (3, True), refused


def test_a_signature_that_was_tampered_with_is_refused(signing: Signing) -> None:
    assert signing("sign", "--key", signing.home / "mine.key", "--no-log").code == 0
    digest = json.loads(signing("inspect", "--remote", "-o", "json").out)["digest"]
    tag = f"{digest.replace(':', '-')}.sig"
    found = signing.repository.manifest(tag)
    assert found
    manifest = json.loads(found[1])
    notes = manifest["layers"][0]["annotations"]
    signature = notes["dev.cosignproject.cosign/signature"]
    changed = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
    notes["dev.cosignproject.cosign/signature"] = changed
    signing.repository.put_manifest(tag, json.dumps(manifest).encode(), found[0].media_type)

    refused = signing("verify", "--key", signing.home / "mine.pub", "--no-log")
    assert refused.code == 3, refused


def test_the_list_of_parts_is_attested_and_verified(signing: Signing) -> None:
    attested = signing("attest", "--key", signing.home / "mine.key", "--no-log")
    assert attested.code == 0, attested

    words = ("--attestation", "spdxjson", "--no-log")
    verified = signing("verify", "--key", signing.home / "mine.pub", *words, "-o", "json")
    assert verified.code == 0, verified
    assert json.loads(verified.out)["payloadType"] == "application/vnd.in-toto+json"
    other = signing("verify", "--key", signing.home / "other.pub", *words)
    assert other.code == 3, other
    assert "attestation" in signing("inspect", "--remote").out


def test_a_statement_of_ones_own_is_attested(signing: Signing) -> None:
    scan = signing.home / "scan.json"
    scan.write_text('{"scanner": {"uri": "x"}, "metadata": {}}')
    words = ("--predicate", scan, "--type", "vuln", "--no-log")
    assert signing("attest", "--key", signing.home / "mine.key", *words).code == 0

    verified = signing(
        "verify", "--key", signing.home / "mine.pub", "--attestation", "vuln", "--no-log"
    )
    assert verified.code == 0, verified


def test_flags_for_cosign_reach_it(signing: Signing) -> None:
    words = ("--key", signing.home / "mine.key", "--no-log", "--", "-a", "team=vision")
    assert signing("sign", *words).code == 0
    for team, code in (("vision", 0), ("other", 3)):
        words = ("--key", signing.home / "mine.pub", "--no-log", "--", "-a", f"team={team}")
        assert signing("verify", *words).code == code


def test_a_wrong_flag_is_cosigns_to_explain(signing: Signing) -> None:
    failed = signing("sign", "--key", signing.home / "mine.key", "--", "--no-such-flag")
    assert failed.code == 1
    assert "cosign sign failed" in failed.err


def test_a_tampered_blob_of_a_signed_image_is_refused_on_pull(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signing("sign", "--key", signing.home / "mine.key", "--no-log").code == 0
    report = json.loads(signing("inspect", "--remote", "-o", "json").out)
    layer = report["platforms"][0]["layers"][1]["digest"]
    path = signing.server.blob_file(layer)
    path.write_bytes(path.read_bytes()[:-1] + b"\1")

    monkeypatch.setenv("WASMAI_IMAGES", str(signing.home / "empty"))
    refused = signing("pull")
    assert refused.code == 1
    assert "other content" in refused.err


@pytest.fixture(params=["olareg", "distribution"])
def referring(
    request: pytest.FixtureRequest,
    home: Path,
    store: object,  # noqa: ARG001 - the image that is referred to
    image: Image,
) -> Iterator[RegistryServer]:
    """Registries with and without a list of referrers."""
    if program(request.param) is None:
        pytest.skip(f"no {request.param}: there is no Go")
    with RegistryServer(request.param, home / "registry").running() as server:
        pushed = image("push", "local/mnist:1", "--as", f"{server.host}/a:1", "--plain-http")
        assert pushed.code == 0, pushed
        yield server


def test_a_list_of_parts_is_attached_where_registries_list_referrers_and_where_not(
    referring: RegistryServer, image: Image
) -> None:
    name = f"{referring.host}/a:1"
    for form in ("spdx", "cyclonedx"):
        attached = image("sbom", name, "-o", form, "--attach", "--plain-http")
        assert attached.code == 0, attached

    report = json.loads(image("inspect", name, "--remote", "--plain-http", "-o", "json").out)
    assert [one["kind"] for one in report["attached"]] == ["sbom", "sbom"]
    repository = Repository(Registry(referring.host, RegistryOptions(plain_http=True)), "a")
    types = {one.artifact_type for one in list_referrers(repository, report["digest"])}
    assert types == {"application/spdx+json", "application/vnd.cyclonedx+json"}
    by_tag = repository.manifest(fallback_tag(report["digest"]))
    assert (by_tag is None) == (referring.kind == "olareg")
