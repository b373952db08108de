"""The command line as a whole: help, errors, exit codes."""

from __future__ import annotations

import sys

import click
import pytest

from kubectl_wasmai.cli import main
from kubectl_wasmai.cli.lazy import LazyGroup
from kubectl_wasmai.errors import ClusterUnreachable, NotReady


def fails_with(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


def raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    command = fails_with(error)
    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: command)


def test_help_lists_every_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0

    shown = capsys.readouterr().out
    for name, text in main.COMMANDS.items():
        assert f"  {name} " in shown
        assert text.split()[0] in shown


@pytest.mark.parametrize("name", main.COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([name, flag]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: kubectl wasmai {name}")


def test_nothing_typed_shows_the_usage_as_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    assert "Usage: kubectl wasmai" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["no-such-command"], ["version", "--no-such-flag"]])
def test_wrong_usage_is_exit_code_2_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "No such" in shown.err


def test_an_error_is_one_message_and_one_hint_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(monkeypatch, ClusterUnreachable("no answer from 192.0.2.1", "is the VPN on?"))

    assert main.run(["version"]) == 1
    assert capsys.readouterr().err == "error: no answer from 192.0.2.1\nhint: is the VPN on?\n"


def test_each_kind_of_error_brings_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(monkeypatch, NotReady("web is not ready after 2m"))

    assert main.run(["version"]) == 3
    assert capsys.readouterr().err == "error: web is not ready after 2m\n"


def test_ctrl_c_is_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(monkeypatch, KeyboardInterrupt())

    assert main.run(["version"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize(
    ("argv0", "name"),
    [
        ("/usr/local/bin/kubectl-wasmai", "kubectl wasmai"),
        ("kubectl-wasmai.exe", "kubectl wasmai"),
        ("wasmai", "wasmai"),
        ("", "kubectl wasmai"),
    ],
)
def test_usage_speaks_of_the_command_people_typed(argv0: str, name: str) -> None:
    assert main.program_name(argv0) == name


def test_main_never_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl-wasmai", "version"])

    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == 0
