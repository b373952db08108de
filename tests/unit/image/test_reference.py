"""Names of images, completed as Docker completes them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.reference import parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("mnist", "docker.io/library/mnist:latest"),
        ("team/mnist:1", "docker.io/team/mnist:1"),
        ("localhost/mnist", "localhost/mnist:latest"),
        ("localhost:5000/mnist:1", "localhost:5000/mnist:1"),
        ("registry.example.com/a/b/c:v1.2-x_y", "registry.example.com/a/b/c:v1.2-x_y"),
        ("192.0.2.1:5000/a", "192.0.2.1:5000/a:latest"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        (f"r.io/a@{DIGEST}", f"r.io/a@{DIGEST}"),
        (f"r.io/a:1@{DIGEST}", f"r.io/a:1@{DIGEST}"),
        ("r.io/a__b/c-d/e.f", "r.io/a__b/c-d/e.f:latest"),
    ],
)
def test_names_are_completed(text: str, full: str) -> None:
    found = parse_reference(text)

    assert str(found) == full
    assert parse_reference(full) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no path"),
        ("r.io/", "no path"),
        ("r.io/A", "capital letters"),
        ("r.io/a:", "no tag"),
        ("r.io/a:b:c", "no tag"),
        ("r.io/a:-x", "no tag"),
        ("r.io/a@sha256:12", "no sha256 digest"),
        ("r.io/a@", "no sha256 digest"),
        ("r.io/a b", "no path"),
        ("r.io//a", "no path"),
        ("r.io/../a", "no path"),
        ("https://r.io/a", "no registry"),
        ("r..io/a", "no registry"),
        ("r.io/" + "a" * 256, "too long"),
        ("r.io/a:" + "x" * 129, "no tag"),
    ],
)
def test_what_is_no_name_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_reference(text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_is_accepted_is_safe_in_a_url_and_stays_itself(text: str) -> None:
    try:
        found = parse_reference(text)
    except InputError:
        return
    assert parse_reference(str(found)) == found
    assert all(
        each.isascii() and each.isprintable() and each not in " ?#%\\" for each in str(found)
    )
    assert ".." not in found.repository.split("/")
