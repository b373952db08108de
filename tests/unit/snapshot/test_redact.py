"""Secrets leave every text and object; what the doctor reads stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secrets_corpus import ORDINARY, SHAPES, TEXTS, TRACES

from kubectl_wasmai.snapshot.redact import redact_text


def holds_a_secret(text: str) -> list[str]:
    return [trace for trace in TRACES if trace in text]


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_of_every_usual_form_leave_the_text(text: str) -> None:
    clean = redact_text(text)

    assert "<redacted>" in clean
    assert not holds_a_secret(clean)


@pytest.mark.parametrize("text", TEXTS)
def test_what_stands_around_a_secret_stays(text: str) -> None:
    clean = redact_text(f"before it\n{text}\nafter it")

    assert not holds_a_secret(clean)
    assert clean.startswith("before it\n")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("frame", ["{}", "x {} y", "'{}'", "a={}", "k: {}", "[{}]", " {}.", "({})"])
def test_keys_of_well_known_services_are_known_by_their_shape(shape: str, frame: str) -> None:
    assert shape not in redact_text(frame.format(shape))


@pytest.mark.parametrize("text", ORDINARY)
def test_what_the_doctor_and_people_read_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text
    assert redact_text(f"2026-01-01T11:00:00Z [info] {text}").endswith(text)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([*TEXTS, ""]), st.text(max_size=20))
def test_redacting_twice_changes_nothing_more(text: str, secret: str, rest: str) -> None:
    once = redact_text(text + secret + rest)

    assert redact_text(once) == once


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["token", "pass", "word", "=", ": ", '"', "\\", "'", "<redacted>", "<", "a1", "\n",
             "--", "KEY=", "://", ":", "@", "eyJ", ".",
             "-----BEGIN A-----", "-----END A-----", "is "]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_nor_does_it_in_texts_made_of_nothing_but_traps(parts: list[str]) -> None:
    once = redact_text("".join(parts))

    assert redact_text(once) == once


@pytest.mark.parametrize(
    "unit",
    ["a", "aA1", "token", "token ", "password: ", "eyJ-", "sk-", "-----BEGIN A-----", "://a:",
     "<password>", "\\", '"', '\\"', "token:", "--token ", "a.", "+/aA1", "Bearer ", "\t",
     "AAAAAAAAAAAAAAAAAAAA\n", "-u a:", "<redacted", "{{", "cookie: a;"],
)  # fmt: skip
def test_no_log_line_holds_the_redactor_up(unit: str) -> None:
    """Linear in the length: 32 KiB of the worst take no noticeable time."""
    line = unit * (32 * 1024 // len(unit))
    started = time.process_time()

    redact_text(line)

    assert time.process_time() - started < 2
