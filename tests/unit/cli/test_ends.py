"""However a run ends, by Ctrl-C, a closed pipe, a full disk or wrong usage: no traceback, and an
exit code that says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "gallery"
RECORDING = str(GALLERY / "runtimeclass-missing" / "settled.tar.gz")
PROGRAM = [sys.executable, "-m", "kubectl_wasmai"]
DOCTOR = [*PROGRAM, "doctor", "--from", RECORDING]


def shell(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PROGRAM": " ".join(PROGRAM), "RECORDING": RECORDING, **variables}
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("form", ["table", "json", "html", "prometheus"])
def test_a_reader_that_has_seen_enough_is_no_error(form: str) -> None:
    ended = shell(f"$PROGRAM doctor --from $RECORDING -o {form} | head -1 | cut -c 1-1")

    assert len(ended.stdout) == 2
    assert ended.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_a_full_disk_is_told_in_one_line(form: str) -> None:
    ended = shell(f"$PROGRAM doctor --from $RECORDING -o {form} > /dev/full")

    assert ended.returncode == 1
    assert ended.stderr == "error: cannot write the output: no space left on device\n"


def test_closed_streams_are_no_error() -> None:
    assert shell("$PROGRAM doctor --from $RECORDING >&-").returncode == 3
    assert shell("$PROGRAM doctor --from $RECORDING >&- 2>&-").returncode == 3
    assert shell("$PROGRAM doctor --from /nowhere 2>&-").returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--frobnicate"],
        ["-o", "xml"],
        ["--check", "nothing"],
        ["--skip", "nothing"],
        ["--checklist", "nothing"],
        ["--ignore", "nothing"],
        ["--ignore", "pod-running=x"],
        ["--check", "pod-running", "--skip", "pod-running"],
        ["--for", "node/n1"],
        ["--for", "deployment/"],
        ["--interval", "soon"],
        ["--max-latency", "-1s"],
        ["--max-memory", "101"],
        ["--save-snapshot", "x"],
        ["--watch"],
        ["-q", "-o", "json"],
        ["--color", "pink"],
        ["word"],
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words: list[str]) -> None:
    ended = subprocess.run([*DOCTOR, *words], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "Error: " in ended.stderr


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
def test_ctrl_c_ends_it_quietly_at_any_moment(delay: float) -> None:
    """By the signal itself before it has begun, which shells call 130, and else with 130. What
    it reads never ends, so that it cannot be done before."""
    code = "import kubectl_wasmai.__main__ as m; print('go', flush=True); m.main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "doctor", "--from", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        _, told = process.communicate()

    assert process.returncode in (-signal.SIGINT, 130)
    assert told.strip() in (b"", b"interrupted")


def test_a_fault_of_our_own_is_told_without_a_traceback_unless_asked_for() -> None:
    break_it = (
        "import sys, kubectl_wasmai.doctor.explain as e; e.index = None; "
        "sys.argv = ['kubectl-wasmai', 'explain']; from kubectl_wasmai.cli.main import main; main()"
    )
    words = [sys.executable, "-c", break_it]
    plain = subprocess.run(words, capture_output=True, text=True, check=False)
    asked = subprocess.run(
        words, capture_output=True, text=True, check=False,
        env={**os.environ, "WASMAI_TRACEBACK": "1"},
    )  # fmt: skip

    assert plain.returncode == 1
    assert "a fault of kubectl wasmai itself: TypeError" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in asked.stderr
