"""Transfers that break: they go on where the registry allows it, and end whole in any case."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from registries import (
    PASSWORD,
    USER,
    Network,
    RegistryServer,
    TokenServer,
    docker_config,
    environment,
)

from kubectl_wasmai.errors import InputError, RegistryError
from kubectl_wasmai.image.content import Bytes
from kubectl_wasmai.image.oci import Descriptor, digest_of
from kubectl_wasmai.image.registry import upload as uploads
from kubectl_wasmai.image.registry.client import Registry
from kubectl_wasmai.image.registry.connection import RegistryOptions
from kubectl_wasmai.image.registry.download import download
from kubectl_wasmai.image.registry.journal import Journal
from kubectl_wasmai.image.registry.repository import Repository
from kubectl_wasmai.image.registry.upload import upload
from kubectl_wasmai.image.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasmlab.pki import Authority

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("home")]

MIB = 1 << 20
SIZE = 12 * MIB


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PIECE", MIB)


@pytest.fixture
def network(open_registry: RegistryServer) -> Iterator[Network]:
    with Network(open_registry.port).running() as between:
        yield between


@pytest.fixture
def data() -> bytes:
    return os.urandom(SIZE)


def described(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", digest_of(data), len(data))


def repository(host: str, name: str = "broken", waited: list[float] | None = None) -> Repository:
    """Waits for nothing, but notes how long it would have."""
    sleep = (waited if waited is not None else []).append
    return Repository(Registry(host, RegistryOptions(plain_http=True), sleep), name)


class Progress:
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.done = self.most = 0

    def __call__(self, count: int) -> None:
        self.done += count
        self.most = max(self.most, self.done)


def test_an_upload_goes_on_after_breaks_and_ends_whole(
    kind: str, open_registry: RegistryServer, network: Network, data: bytes
) -> None:
    """Distribution 3 keeps what it has got; 2.8 forgets an upload whose piece broke."""
    network.cuts = [("up", 5 * MIB + 300_000), ("up", 4 * MIB + 7)]
    progress = Progress()
    assert upload(repository(network.host), described(data), Bytes(data), progress) == "uploaded"

    assert open_registry.blob_file(digest_of(data)).read_bytes() == data
    assert network.cuts == []
    assert (progress.done, progress.most) == (SIZE, SIZE)
    if kind == "distribution":
        assert network.up < SIZE + 3 * MIB
    else:
        assert SIZE + 8 * MIB < network.up < 3 * SIZE


def test_an_upload_goes_on_in_the_next_process(
    open_registry: RegistryServer, network: Network, data: bytes, tmp_path: Path
) -> None:
    """It ended between two pieces, where every registry still knows the upload."""

    class Ended(BaseException):
        pass

    class Ending(Journal):
        def note(self, repository: str, digest: str, location: str) -> None:
            super().note(repository, digest, location)
            self.notes = getattr(self, "notes", 0) + 1
            if self.notes > SIZE // MIB // 2:
                raise Ended

    place = repository(open_registry.host, "ended")
    with pytest.raises(Ended):
        upload(place, described(data), Bytes(data), Progress(), Ending(tmp_path / "journal"))

    # The next process takes another way, on which bytes are counted.
    journal, again = Journal(tmp_path / "journal"), repository(network.host, "ended")
    location = journal.location(str(place), digest_of(data))
    there, here = str(open_registry.port), str(network.port)
    journal.note(str(again), digest_of(data), location.replace(there, here))
    progress = Progress()
    assert upload(again, described(data), Bytes(data), progress, journal) == "uploaded"
    assert open_registry.blob_file(digest_of(data)).read_bytes() == data
    assert network.up < SIZE // 2 + MIB
    assert progress.done == SIZE
    assert journal.location(str(again), digest_of(data)) == ""


def test_an_upload_that_the_registry_has_forgotten_begins_again(
    open_registry: RegistryServer, data: bytes, tmp_path: Path
) -> None:
    place, journal = repository(open_registry.host, "forgotten"), Journal(tmp_path / "journal")
    location = f"http://{open_registry.host}/v2/forgotten/blobs/uploads/0000?_state=x"
    journal.note(str(place), digest_of(data), location)

    assert upload(place, described(data), Bytes(data), Progress(), journal) == "uploaded"


def test_a_network_that_never_holds_is_given_up_with_a_way_to_go_on(
    network: Network, data: bytes
) -> None:
    network.cuts = [("up", 100_000)] * 50
    waited: list[float] = []
    with pytest.raises(RegistryError, match="again and again") as given_up:
        upload(repository(network.host, waited=waited), described(data), Bytes(data))

    assert "run the same command again" in given_up.value.hint
    assert 0 < sum(waited) < 120


def test_a_registry_in_trouble_is_asked_again_after_the_time_it_wants(
    network: Network, data: bytes
) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    many = b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    network.answers = [busy, many]
    waited: list[float] = []
    place = repository(network.host, waited=waited)

    assert upload(place, described(data[:1000]), Bytes(data[:1000])) == "uploaded"
    assert len(waited) == 2
    assert waited[0] > 6 > waited[1]


def test_a_download_goes_on_after_breaks_and_is_checked(
    open_registry: RegistryServer, network: Network, data: bytes, tmp_path: Path
) -> None:
    upload(repository(open_registry.host), described(data), Bytes(data))
    network.cuts = [("down", 5 * MIB), ("down", 4 * MIB)]
    store, progress = Store(tmp_path / "store"), Progress()
    download(repository(network.host), described(data), store, progress)

    assert b"".join(store.content(described(data)).pieces()) == data
    assert network.cuts == []
    assert network.down < SIZE + MIB
    assert progress.done == SIZE


def test_a_download_goes_on_in_the_next_process(
    open_registry: RegistryServer, network: Network, data: bytes, tmp_path: Path
) -> None:
    upload(repository(open_registry.host), described(data), Bytes(data))
    store = Store(tmp_path / "store")
    store.partial_file(digest_of(data)).write_bytes(data[: 9 * MIB])
    download(repository(network.host), described(data), store, Progress())

    assert network.down < 4 * MIB
    assert b"".join(store.content(described(data)).pieces()) == data


def test_a_beginning_of_something_else_is_found_out(
    open_registry: RegistryServer, data: bytes, tmp_path: Path
) -> None:
    upload(repository(open_registry.host), described(data), Bytes(data))
    store = Store(tmp_path / "store")
    store.partial_file(digest_of(data)).write_bytes(b"other" + data[5 : 2 * MIB])
    with pytest.raises(InputError, match="other content"):
        download(repository(open_registry.host), described(data), store, Progress())

    # It is not kept, so that the next try can succeed.
    download(repository(open_registry.host), described(data), store, Progress())
    assert store.has(described(data))


def test_a_beginning_that_is_too_long_is_thrown_away(
    open_registry: RegistryServer, data: bytes, tmp_path: Path
) -> None:
    upload(repository(open_registry.host), described(data), Bytes(data))
    store, progress = Store(tmp_path / "store"), Progress()
    store.partial_file(digest_of(data)).write_bytes(data + b"more")
    download(repository(open_registry.host), described(data), store, progress)

    assert store.has(described(data))
    assert progress.done == SIZE


def test_two_processes_that_fetch_the_same_blob_do_not_meet(
    open_registry: RegistryServer, data: bytes, tmp_path: Path
) -> None:
    upload(repository(open_registry.host), described(data), Bytes(data))
    script = (
        "import sys; from pathlib import Path\n"
        "from kubectl_wasmai.image.registry.client import Registry\n"
        "from kubectl_wasmai.image.registry.download import download\n"
        "from kubectl_wasmai.image.registry.repository import Repository\n"
        "from kubectl_wasmai.image.oci import Descriptor\n"
        "from kubectl_wasmai.image.store import Store\n"
        "place = Repository(Registry(sys.argv[1]), 'broken')\n"
        "one = Descriptor('', sys.argv[2], int(sys.argv[3]))\n"
        "download(place, one, Store(Path(sys.argv[4])), lambda count: None)\n"
    )
    words = [open_registry.host, digest_of(data), str(SIZE), str(tmp_path / "store")]
    both = [
        subprocess.Popen([sys.executable, "-c", script, *words], env=environment(tmp_path))
        for _ in range(2)
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    store = Store(tmp_path / "store")
    assert b"".join(store.content(described(data)).pieces()) == data


def test_tokens_are_asked_for_and_renewed_in_the_middle_of_an_upload(
    kind: str, authority: Authority, data: bytes, tmp_path: Path, home: Path
) -> None:
    """Tokens of two seconds, and an upload that takes longer."""
    with (
        TokenServer(tmp_path / "tokens", authority, seconds=2).running() as tokens,
        RegistryServer(kind, tmp_path / "registry", authority, tokens.auth).running() as server,
    ):
        docker_config(home / "docker", server.host)
        options = RegistryOptions(certificate_authority=authority.certificate)
        place = Repository(Registry(server.host, options), "team/long")
        assert upload(place, described(data), _Slow(data)) == "uploaded"
        assert server.blob_file(digest_of(data)).read_bytes() == data
        writing = [one for one in tokens.asked if "push" in one[2]]
        assert len(writing) > 1
        assert {user for user, _, _ in tokens.asked} == {USER}


class _Slow(Bytes):
    """A piece each 0.4 seconds."""

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        for position in range(start, self.size, MIB):
            time.sleep(0.4)
            yield self.data[position : position + MIB]


def test_an_identity_token_buys_tokens_too(
    kind: str, authority: Authority, data: bytes, tmp_path: Path, home: Path
) -> None:
    with (
        TokenServer(tmp_path / "tokens", authority).running() as tokens,
        RegistryServer(kind, tmp_path / "registry", authority, tokens.auth).running() as server,
    ):
        (home / "docker").mkdir()
        entry = f'{{"identitytoken": "{PASSWORD}"}}'
        (home / "docker" / "config.json").write_text(f'{{"auths": {{"{server.host}": {entry}}}}}')
        options = RegistryOptions(certificate_authority=authority.certificate)
        place = Repository(Registry(server.host, options), "a")
        assert upload(place, described(data[:9]), Bytes(data[:9])) == "uploaded"
        assert {how for _, how, _ in tokens.asked} == {"POST"}


def test_a_wrong_password_is_refused_by_the_server_of_tokens(
    kind: str, authority: Authority, tmp_path: Path, home: Path
) -> None:
    with (
        TokenServer(tmp_path / "tokens", authority).running() as tokens,
        RegistryServer(kind, tmp_path / "registry", authority, tokens.auth).running() as server,
    ):
        docker_config(home / "docker", server.host, "wrong")
        options = RegistryOptions(certificate_authority=authority.certificate)
        with pytest.raises(RegistryError, match="does not accept the stored credentials"):
            Repository(Registry(server.host, options), "a").manifest("1")
