"""Registries of both generations, an image to bring there, and a user of the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from image_builders import a_stored_image
from registries import (
    KINDS,
    Image,
    RegistryServer,
    Said,
    docker_config,
    free_port,
    htpasswd,
    program,
)
from wasmlab.paths import node_root
from wasmlab.pki import Authority

from kubectl_wasmai.cli.main import run
from kubectl_wasmai.image.reference import parse_reference
from kubectl_wasmai.image.registry import backoff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.image.store import Store


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Found or built before tests move HOME, where they are kept."""
    for each in (*KINDS, "olareg"):
        program(each)


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if program(name) is None:
        pytest.skip(f"no {name}: the lab is not built, or there is no Go")
    return name


@pytest.fixture(scope="session")
def secured(
    kind: str, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RegistryServer]:
    """With TLS, for ``USER`` alone."""
    folder = tmp_path_factory.mktemp(kind)
    with RegistryServer(kind, folder, authority, htpasswd(folder)).running() as server:
        yield server


@pytest.fixture(scope="session")
def open_registry(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """Without TLS, for everybody."""
    with RegistryServer(kind, tmp_path_factory.mktemp(kind)).running() as server:
        yield server


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries on this machine need no time to recover."""
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.01)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing: no images, no credentials, no memory of earlier transfers."""
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("WASMAI_IMAGES", str(tmp_path / "store"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def store(home: Path) -> Store:
    """The user's store, with the image local/mnist:1."""
    store, name, root = a_stored_image(home)
    store.tag(parse_reference("local/mnist:1"), root)
    assert store.untag(name)
    return store


@pytest.fixture
def image(home: Path, capsys: pytest.CaptureFixture[str]) -> Image:  # noqa: ARG001 - sets the scene
    """``kubectl wasmai image …`` as that user."""

    def call(*words: object) -> Said:
        capsys.readouterr()
        code = run(["image", *map(str, words)])
        shown = capsys.readouterr()
        return Said(code, shown.out, shown.err)

    return call


@pytest.fixture
def logged_in(home: Path, secured: RegistryServer) -> None:
    docker_config(home / "docker", secured.host)


@pytest.fixture(scope="session")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH that has the real cosign."""
    found = shutil.which("cosign") or str(node_root() / "usr" / "bin" / "cosign")
    if not Path(found).exists():
        pytest.skip("no cosign on PATH, and the lab is not built (lab/lab build)")
    folder = tmp_path_factory.mktemp("bin")
    (folder / "cosign").symlink_to(found)
    return folder


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.fixture
def measured(home: Path) -> Image:  # noqa: ARG001 - sets the scene
    """As ``image``, in a process of its own that tells its peak memory in kB at the end of err."""
    program = (
        "import re, sys\n"
        "from kubectl_wasmai.cli.main import run\n"
        "code = run(['image', *sys.argv[1:]])\n"
        "status = open('/proc/self/status').read()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], file=sys.stderr)\n"
        "sys.exit(code)"
    )

    def call(*words: object) -> Said:
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call
