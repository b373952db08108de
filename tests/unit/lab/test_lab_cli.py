"""The lab's command line where it needs no lab: arguments and refusals."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from wasmlab import build, cli, paths
from wasmlab.lab import is_ready

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Folders of the test's own; the signal handlers are given back."""
    monkeypatch.setenv("WASMAI_LAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("WASMAI_LAB_CACHE", str(tmp_path / "cache"))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("nodes", ["0", "6", "two", "-1"])
def test_a_wrong_number_of_nodes_is_a_usage_error(
    nodes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["up", f"--nodes={nodes}"])

    assert exit_.value.code == 2
    assert "a number from 1 to 5" in capsys.readouterr().err


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([])

    assert exit_.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["kubeconfig"], ["images"], ["load", "x.tar"], ["push", "x.tar", "x:1"], ["logs"]]
)
def test_commands_that_need_a_lab_say_how_to_start_one(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 1

    assert capsys.readouterr().err == (
        "error: the lab is not up\nhint: start it with `lab/lab up`\n"
    )


def test_status_without_a_lab_fails_without_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 1

    captured = capsys.readouterr()
    assert captured.out == "the lab is not up\n"
    assert captured.err == ""


def test_up_refuses_whoever_is_not_root(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert cli.main(["up"]) == 1
    assert "only root" in capsys.readouterr().err


def test_a_build_without_go_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert cli.main(["build", "--control-plane-only"]) == 1
    assert "hint: install Go" in capsys.readouterr().err
    assert not list((tmp_path / "cache").glob("building-*"))


def test_programs_already_built_are_not_built_again(capsys: pytest.CaptureFixture[str]) -> None:
    target = paths.kubernetes_bin()
    target.mkdir(parents=True)
    for name in build.CONTROL_PLANE_PROGRAMS:
        (target / name).touch()

    assert cli.main(["build", "--control-plane-only"]) == 0
    assert capsys.readouterr().out == f"{target}\n"


def test_a_part_under_construction_vanishes_when_it_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with build.building("part") as temporary:
            (temporary / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert not list((tmp_path / "cache").glob("building-*"))


def test_labs_with_other_state_folders_have_other_names() -> None:
    first, second = (paths.instance_name(Path(path)) for path in ("/run/a", "/run/b"))

    assert first != second
    assert first == paths.instance_name(Path("/run/a"))


@pytest.mark.parametrize(
    ("status", "taints", "expected"),
    [("True", None, True), ("False", None, False), ("True", [{"key": "x"}], False)],
)
def test_a_node_is_ready_with_the_condition_and_without_taints(
    status: str, taints: object, *, expected: bool
) -> None:
    node = {
        "spec": {"taints": taints} if taints else {},
        "status": {"conditions": [{"type": "Ready", "status": status}]},
    }

    assert is_ready(json.dumps(node).encode()) is expected


def test_a_node_without_conditions_is_not_ready() -> None:
    assert not is_ready(b'{"spec": {}, "status": {}}')
