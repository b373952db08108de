"""What people read, kept as golden files; WASMAI_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from builders import (
    container,
    deployment,
    event,
    node,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    waiting,
)

from kubectl_wasmai.doctor import Report, examine
from kubectl_wasmai.report.as_table import Look, render, render_diagnoses
from kubectl_wasmai.report.text import folded
from kubectl_wasmai.snapshot import load

GOLDEN = Path(__file__).parent / "golden"
GALLERY = Path(__file__).parent.parent.parent / "gallery"


def recorded(name: str) -> Report:
    return examine(load(str(GALLERY / name / "settled.tar.gz")))


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("WASMAI_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", ["wasm-module-invalid", "handler-not-configured"])
def test_a_recorded_fault_reads_like_this(name: str) -> None:
    check_golden(f"{name}.txt", render(recorded(name), Look(80)))


def test_wide_output_adds_evidence_and_what_to_look_at() -> None:
    check_golden("wide.txt", render(recorded("wasm-module-invalid"), Look(100, wide=True)))


def test_no_line_is_longer_than_the_terminal_but_for_commands_and_long_words() -> None:
    report = recorded("runtimeclass-missing")
    commands = {c for each in report.diagnoses for c in each.remedy.commands}

    for line in render(report, Look(80)).splitlines():
        assert len(line) <= 80 or line.strip() in commands


def test_colour_changes_nothing_but_colour() -> None:
    import re

    report = recorded("wasm-module-invalid")
    colored = render(report, Look(color=True))

    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(report)


def test_names_and_messages_from_the_cluster_cannot_steer_the_terminal() -> None:
    web = deployment(spec=pod_spec(container(command=["wasmedge", "\x1b]0;owned\x07", "[red]"])))
    stuck = pod(owner=web, ready=False, statuses=waiting("Err\x1b[2JImagePull", "\x1b[31mx"))
    said = event(stuck, "Failed", "\x1b[2J\r\nfake line: all is well")

    text = render(examine(snapshot(web, stuck, said, runtime_class())))

    assert "\x1b" not in text
    assert "\r" not in text
    assert "[red]" in text


def test_nothing_found_is_said_in_words() -> None:
    assert render_diagnoses(examine(snapshot())) == "No root cause was found.\n"


def test_in_a_terminal_the_root_cause_stands_at_the_end_where_the_prompt_is() -> None:
    report = recorded("runtimeclass-missing")
    file = render(report).splitlines()
    terminal = render(report, Look(causes_last=True)).splitlines()

    assert file[0].startswith("ROOT CAUSE")
    at = terminal.index("ROOT CAUSE  runtimeclass-missing  (certain)")
    assert at > max(n for n, line in enumerate(terminal) if line.startswith("READINESS"))
    assert len(terminal) - at < 30
    assert sorted(file) == sorted(terminal)


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 4)])
def test_the_last_line_says_the_counts_and_what_the_exit_code_means(
    *, strict: bool, code: int
) -> None:
    report = recorded("healthy")
    *_, line = render(report, Look(200, strict=strict)).splitlines()

    summary = report.summary
    assert f"{summary.pass_} passed" in line
    assert f"{summary.unknown} unknown" in line
    assert f"; exit code {code}: " in line


def test_several_causes_are_listed_with_the_verdict() -> None:
    report = recorded("runtimeclass-missing")
    (cause,) = report.diagnoses
    twice = msgspec.structs.replace(report, diagnoses=(cause, cause))

    *_, verdict, first, second, _ = render(twice, Look(200)).splitlines()

    assert verdict == "broken: 2 root causes"
    assert first == second
    assert first.split() == [
        "runtimeclass-missing", "certain", "Deployment", "f-runtimeclass-missing/web",
    ]  # fmt: skip


def test_forty_pods_are_one_phrase() -> None:
    names = ["pod-running", *(f"Pod shop/web-{n}" for n in range(40)), "Node n1", "Job shop/a"]

    assert folded(names) == (
        "pod-running; 40 Pods in shop: web-0, web-1, web-2, …; Node n1; Job shop/a"
    )


def test_where_nothing_wants_webassembly_that_is_said() -> None:
    text = render(examine(snapshot(runtime_class(), node("n1", "crun"))), Look(200))

    assert "No workload asks for WebAssembly or a GPU: only the cluster itself was judged" in text


def test_what_does_not_apply_is_one_row_and_wide_says_why() -> None:
    report = recorded("healthy")
    skipped = [each.id for each in report.checks if each.status.value == "SKIP"]

    narrow, wide = render(report, Look(80)), render(report, Look(80, wide=True))

    assert sum(line.startswith("  SKIP") for line in narrow.splitlines()) <= 4
    assert all(id_ in narrow for id_ in skipped)
    assert "nobody here asks" not in narrow
    assert sum(line.startswith("  SKIP") for line in wide.splitlines()) == len(skipped)
