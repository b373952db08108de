"""What the registry client consists of: challenges, waiting, the journal, the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.registry.authentication import Challenge, parse_challenges
from kubectl_wasmai.image.registry.backoff import LONGEST_SECONDS, TRIES, Backoff
from kubectl_wasmai.image.registry.client import Registry
from kubectl_wasmai.image.registry.connection import RegistryOptions, is_loopback, open_pool
from kubectl_wasmai.image.registry.journal import MOST, Journal
from kubectl_wasmai.image.registry.refusal import Answer, refusal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_challenge_for_a_token_is_read() -> None:
    (found,) = parse_challenges(
        ['Bearer realm="https://a.example.com/t",service="r",scope="repository:a:pull,push"']
    )

    assert found == Challenge(
        "bearer",
        {"realm": "https://a.example.com/t", "service": "r", "scope": "repository:a:pull,push"},
    )


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=3))
def test_any_header_is_read_without_trouble(headers: list[str]) -> None:
    assert len(parse_challenges(headers)) == len(headers)


def test_waits_grow_and_end() -> None:
    waited: list[float] = []
    backoff = Backoff(waited.append)
    while backoff.wait():
        pass

    assert len(waited) == TRIES - 1
    assert waited[-1] > waited[0] * 4
    assert max(waited) <= LONGEST_SECONDS


@pytest.mark.parametrize(("asked", "least"), [("7", 5.25), ("99999", LONGEST_SECONDS)])
def test_a_registry_may_ask_for_more_time_within_reason(asked: str, least: float) -> None:
    waited: list[float] = []
    Backoff(waited.append).wait(asked)

    assert least <= waited[0] <= LONGEST_SECONDS


def test_progress_makes_patience_new() -> None:
    backoff = Backoff(lambda _: None)
    for _ in range(20):
        assert backoff.wait("Wed, 21 Oct 2026 07:28:00 GMT")
        backoff.succeeded()


def test_the_journal_remembers_uploads_and_places(tmp_path: Path) -> None:
    path = tmp_path / "state" / "transfers.json"
    journal = Journal(path)
    journal.note("r.io/a", "sha256:1", "https://r.io/upload/1")
    for repository in ("a", "b", "c", "d", "b"):
        journal.keep("r.io", repository, "sha256:2")

    again = Journal(path)
    assert again.location("r.io/a", "sha256:1") == "https://r.io/upload/1"
    assert again.repositories("r.io", "sha256:2") == ["b", "d", "c"]
    again.forget("r.io/a", "sha256:1")
    assert Journal(path).location("r.io/a", "sha256:1") == ""
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"uploads": 1, "places": {}}'])
def test_a_damaged_journal_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "j").write_text(content)

    assert Journal(tmp_path / "j").location("a", "b") == ""


def test_the_journal_does_not_grow_for_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for number in range(MOST + 10):
        journal.keep("r.io", "a", f"sha256:{number}")

    assert Journal(tmp_path / "j").repositories("r.io", "sha256:0") == []
    assert Journal(tmp_path / "j").repositories("r.io", f"sha256:{MOST + 9}") == ["a"]


@pytest.mark.parametrize(
    ("registry", "here"),
    [
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("[::1]:5000", True),
        ("a.localhost", True),
        ("registry.example.com", False),
        ("192.0.2.1:5000", False),
        ("localhost.example.com", False),
    ],
)
def test_only_this_machine_is_this_machine(registry: str, here: bool) -> None:
    assert is_loopback(registry) is here


def test_a_certificate_authority_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(RegistryError, match=name):
            open_pool("r.io", RegistryOptions(certificate_authority=tmp_path / name))


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/a/blobs/uploads/1?x=y", "https://r.io/v2/a/blobs/uploads/1?x=y"),
        ("http://r.io/v2/up", "https://r.io/v2/up"),
        ("https://store.example.com/up", "https://store.example.com/up"),
        ("manifests/1", "https://r.io/v2/a/manifests/1"),
    ],
)
def test_where_a_registry_points_to_is_understood(location: str, url: str) -> None:
    assert Registry("r.io").url("a", location) == url


@pytest.mark.parametrize(
    ("status", "data", "words"),
    [
        (401, b"", "does not allow this for a"),
        (403, b'{"errors": [{"code": "DENIED", "message": "no\\u001b[31m"}]}', "DENIED no"),
        (404, b"<html>", "no such thing in a"),
        (418, b'{"errors": "x"}', "answered 418 odd"),
        (500, b"[]", "answered 500"),
    ],
)
def test_a_refusal_is_told_in_words(status: int, data: bytes, words: str) -> None:
    found = refusal("r.io", "a", Answer(status, "odd", {}, data))

    assert words in found.message
    assert "\x1b" not in found.message
