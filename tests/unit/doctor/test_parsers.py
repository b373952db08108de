"""Whatever stands in a file, a label or a log: an answer, or an error that says what is wrong."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pytest
from builders import deployment, event, node, pod, pod_spec, runtime_class, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.doctor.clean import LONGEST
from kubectl_wasmai.doctor.quantity import amount, whole
from kubectl_wasmai.doctor.signatures import shipped_signatures
from kubectl_wasmai.doctor.symptoms import LOG_TIME
from kubectl_wasmai.doctor.tables import read_table
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.report.as_table import render

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1), ("500m", 0.5), ("1Ki", 1024), ("1.5Gi", 1.5 * 2**30), ("2k", 2000), ("1e3", 1000),
        ("-1", -1), (3, 3), (0.5, 0.5), ("", 0), ("Gi", 0), ("1 Gi", 0), ("1gi", 0), ("nan", 0),
    ],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_reads_them(text: str | float, number: float) -> None:
    assert amount(text) == number


@given(st.text(alphabet="0123456789.eE+-KMGTPinumk ²١", max_size=12) | st.integers() | st.floats())
def test_whatever_stands_for_a_quantity_is_a_number(text: str | float) -> None:
    assert not math.isnan(amount(text)) or text != text  # noqa: PLR0124 - not a number


@pytest.mark.parametrize("text", ["", None, "²", "١٢", "-1", "1.0", "9" * 19, "x", " 1", "1\n"])
def test_what_is_no_port_or_count_is_none(text: str | None) -> None:
    assert whole(text) is None


def test_a_port_or_count_is_its_number() -> None:
    assert whole("0080") == 80


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_file_is_a_table_of_signatures_or_an_error_that_names_it(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tables") / "mine.toml"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"mine\.toml"):
        read_table(str(path))


SIGNATURE = """[[signature]]
cause = "{cause}"
where = ["log"]
pattern = '{pattern}'
certainty = "certain"
example = "x"
"""


@pytest.mark.parametrize(
    "content",
    [
        "cause = 1",
        "[cause]\nx = 1",
        "[[cause]]",
        "signature = 'x'",
        SIGNATURE.format(cause="nothing", pattern="x"),
        SIGNATURE.format(cause="wasm-trap", pattern="("),
        SIGNATURE.format(cause="wasm-trap", pattern="a{99999999999999999999}"),
        SIGNATURE.format(cause="wasm-trap", pattern="(?P<1>x)"),
        SIGNATURE.format(cause="mine", pattern="x")
        + "[cause.mine]\ntitle = 'a'\nsummary = '{0.__class__}'",
        SIGNATURE.format(cause="mine", pattern="x") + "[cause.mine]\ntitle = 'a'\nsummary = '{'",
        "a = " + "[" * 5000,
    ],
)
def test_a_table_that_cannot_work_is_refused_before_a_cluster_is_asked(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)

    with pytest.raises(InputError, match=r"mine\.toml"):
        read_table(str(path))


WORST = (
    "a", "a ", "0", "0.", "/", "a/", '"', "\\", ":", "a:", "=", "x=", "wasi", "error ", "failed ",
    "failed to ", "[error] ", "no such file ", "Code: 0x", "node(s) ", "1 node(s) had x, ", "port ",
    "listening on ", "nvidia ", "CUDA ", "xid ", "NVRM: Xid (", "(", "[", "{",
)  # fmt: skip


@pytest.mark.parametrize("unit", WORST)
def test_no_line_of_a_log_holds_a_signature_up(unit: str) -> None:
    import re

    line = unit * (LONGEST // len(unit))
    for signature in shipped_signatures():
        regex = re.compile(signature.pattern)
        started = time.process_time()
        regex.search(line)
        assert time.process_time() - started < 1, signature.pattern


@pytest.mark.parametrize("unit", WORST)
def test_no_text_of_a_pod_holds_a_check_up(unit: str) -> None:
    text = unit * (64 * 1024 // len(unit))
    web = deployment()
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    statuses = [{"name": "main", "ready": False, "restartCount": 9, "state": waiting}]
    sick = pod(owner=web, ready=False, statuses=statuses)
    events = [event(sick, reason, text) for reason in ("Failed", "Unhealthy", "FailedScheduling")]
    seen = snapshot(web, sick, *events, runtime_class(), logs={("web-5d9-x", "main"): text})
    started = time.process_time()

    render(examine(seen))

    assert time.process_time() - started < 5


@given(st.text(alphabet="0123456789-T:.Z+ ", max_size=40))
def test_what_only_looks_like_a_log_s_time_is_text(text: str) -> None:
    match = LOG_TIME.match(text + " x")
    assert match is None or match.end() <= len(text) + 1


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=50, deadline=None)
def test_labels_that_are_compared_as_numbers_may_be_anything(value: str, wanted: str) -> None:
    term = {"key": "size", "operator": "Gt", "values": [wanted]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [term]}]}}}  # fmt: skip
    web = deployment(spec=pod_spec(affinity=affinity))
    seen = snapshot(web, runtime_class(), node("n1", "crun", labels={"size": value}))

    assert examine(seen).summary.verdict
