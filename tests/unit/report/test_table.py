"""What people read, kept as golden files; WASMAI_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import container, deployment, event, pod, pod_spec, runtime_class, snapshot, waiting

from kubectl_wasmai.doctor import Report, examine
from kubectl_wasmai.report.as_table import render, render_diagnoses
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
    check_golden(f"{name}.txt", render(recorded(name), width=80))


def test_wide_output_adds_evidence_and_what_to_look_at() -> None:
    check_golden("wide.txt", render(recorded("wasm-module-invalid"), width=100, wide=True))


def test_no_line_is_longer_than_the_terminal_but_for_commands_and_long_words() -> None:
    report = recorded("runtimeclass-missing")
    commands = {c for each in report.diagnoses for c in each.remedy.commands}

    for line in render(report, width=80).splitlines():
        assert len(line) <= 80 or line.strip() in commands


def test_colour_changes_nothing_but_colour() -> None:
    import re

    report = recorded("wasm-module-invalid")
    colored = render(report, color=True)

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
