from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.deploy.output import render, to_yaml
from kubectl_wasmai.deploy.text import age, clean, clip, duration, human_duration, table


def test_colours_go_and_other_control_characters_show() -> None:
    assert (
        clean("\x1b[31mred\x1b[0m\x1b]0;title\x07 \u202eback") == r"red\x1b]0;title\x07 \x202eback"
    )


def test_lines_stay_lines_only_where_asked() -> None:
    assert clean("a\n  b\tc") == "a b c"
    assert clean("a\n  b\tc", lines=True) == "a\n  b\tc"


@given(st.text(), st.booleans())
def test_nothing_that_is_cleaned_can_steer_a_terminal(text: str, lines: bool) -> None:
    assert not any(
        ord(char) < 32 or 127 <= ord(char) < 160
        for char in clean(text, lines=lines)
        if char not in "\n\t"
    )


def test_a_table_looks_like_kubectls() -> None:
    rows = [["web", "wasm", "1e3"], ["longer-name", "", "0/1"]]

    assert table(["NAME", "CLASS", "READY"], rows) == (
        "NAME          CLASS    READY\nweb           wasm     1e3\nlonger-name   <none>   0/1"
    )


def test_a_table_can_do_without_headers() -> None:
    assert table(["NAME", "B"], [["web", "x"]], show_headers=False) == "web   x"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (331, "5m31s"),
        (3 * 3600 - 1, "179m"),
        (4 * 3600 + 120, "4h2m"),
        (47 * 3600, "47h"),
        (3 * 86400 + 3600, "3d1h"),
        (400 * 86400, "400d"),
        (3 * 365 * 86400, "3y"),
        (9 * 365 * 86400 + 86400, "9y"),
        (-5, "<invalid>"),
    ],
)
def test_ages_read_like_kubectls(seconds: int, told: str) -> None:
    assert human_duration(seconds) == told


def test_an_age_is_counted_from_a_timestamp() -> None:
    then = datetime(2026, 1, 1, tzinfo=timezone.utc)

    assert age("2026-01-01T00:00:00Z", then + timedelta(seconds=7)) == "7s"
    assert age("") == "<unknown>"


@pytest.mark.parametrize(("seconds", "told"), [(5, "5s"), (120, "2m0s"), (3725, "1h2m5s")])
def test_waiting_times_read_as_go_writes_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_cut_is_visible() -> None:
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")))
def test_any_text_survives_yaml(text: str) -> None:
    assert yaml.safe_load(to_yaml({"value": text})) == {"value": text}


@pytest.mark.parametrize("text", ["1e3", "12E5", "y", "N", "0x1F", "0o17", "1_000", ".5", "0b1"])
def test_what_gos_yaml_takes_for_a_number_or_truth_is_quoted(text: str) -> None:
    assert to_yaml({"value": text}) == f"value: '{text}'\n"


@pytest.mark.parametrize("text", ["100m", "64Mi", "web", "v1"])
def test_what_nobody_misreads_is_not_quoted(text: str) -> None:
    assert to_yaml({"value": text}) == f"value: {text}\n"


def test_several_objects_are_a_list_in_json_and_lines_by_name() -> None:
    things = [
        {"kind": "Deployment", "metadata": {"name": "web", "managedFields": [{}]}},
        {"kind": "Service", "metadata": {"name": "web"}},
    ]
    document = json.loads(render(things, "json"))

    assert document["kind"] == "List"
    assert [item["metadata"] for item in document["items"]] == [{"name": "web"}] * 2
    assert render(things, "name") == "deployment.apps/web\nservice/web"
