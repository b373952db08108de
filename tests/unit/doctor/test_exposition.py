"""Prometheus' text format: what is understood, and what is passed over."""

from __future__ import annotations

import math

import pytest
from gpu_metrics import HELP, exported
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.doctor.exposition import Sample, samples


def test_an_exporter_s_whole_answer_is_understood() -> None:
    found = list(samples(exported(pod="web-1")))

    assert {sample.name for sample in found} == {*HELP}
    assert found[0].labels["modelName"] == "NVIDIA H100 80GB HBM3"
    assert found[0].labels["pod"] == "web-1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("up 1", Sample("up", {}, 1.0)),
        ("up{} 1 1700000000000", Sample("up", {}, 1.0)),
        (' a{b="c", d="e",} -1.5e3 ', Sample("a", {"b": "c", "d": "e"}, -1500.0)),
        ('a{b="x}\\"y\\\\z\\nw"} 1', Sample("a", {"b": 'x}"y\\z\nw'}, 1.0)),
        ("a +Inf", Sample("a", {}, math.inf)),
    ],
)
def test_one_line(line: str, expected: Sample) -> None:
    assert list(samples(line)) == [expected]


@pytest.mark.parametrize(
    "line",
    ["", "# HELP a b", "a", "a{b=c} 1", 'a{b="c} 1', 'a{b="c"', "a one", 'a{="c"} 1', "<html>"],
)
def test_what_is_not_understood_is_passed_over(line: str) -> None:
    assert list(samples(f"{line}\nup 1")) == [Sample("up", {}, 1.0)]


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    for sample in samples(text):
        assert sample.name


@given(
    st.dictionaries(st.from_regex(r"\A[a-z_][a-z0-9_]{0,8}\Z"), st.text(max_size=20), max_size=4),
    st.floats(allow_nan=False),
)
def test_what_is_written_is_read_back(labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    # Other line ends than \n split a line in no exporter; splitlines() would.
    labels = {k: "".join(c for c in v if c.isprintable() or c == "\n") for k, v in labels.items()}
    words = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())

    assert list(samples(f"m{{{words}}} {value!r}")) == [Sample("m", labels, value)]
