from __future__ import annotations

import sys

import pytest

from kubectl_wasmai.cli import complete
from kubectl_wasmai.cli.complete import completions
from kubectl_wasmai.cli.main import COMMANDS, run


def choices(*words: str) -> dict[str, str]:
    *lines, directive = completions(list(words)).splitlines()
    assert directive in (":0", ":4")
    return dict(line.partition("\t")[::2] for line in lines)


def test_all_commands_are_offered_and_no_file_names() -> None:
    assert sorted(choices("")) == sorted(COMMANDS)
    assert completions([""]).endswith("\n:4")


def test_a_beginning_narrows_the_choice() -> None:
    assert list(choices("doc")) == ["doctor"]
    assert choices("doc")["doctor"]


def test_flags_and_their_values_are_offered() -> None:
    assert "--checklist" in choices("doctor", "--check")
    assert {"json", "table", "yaml"} <= choices("doctor", "-o", "").keys()


def test_subcommands_are_offered() -> None:
    assert sorted(choices("snapshot", "")) == ["diff", "redact", "save"]


@pytest.mark.parametrize("words", [["nothing-of-ours", ""], ["doctor", "--bad", ""], ["--", ""]])
def test_a_line_that_makes_no_sense_is_met_with_silence(words: list[str]) -> None:
    assert completions(words).splitlines()[-1] in (":0", ":4")


def test_the_helper_prints_the_protocol_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-wasmai", "expl"])

    complete.main()

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == ["explain", ":4"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_is_told_how_to_switch_it_on(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", shell]) == 0
    assert f"kubectl completion {shell}" in capsys.readouterr().out


def test_a_missing_helper_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")

    assert run(["completion", "bash"]) == 0
    assert "NOT on your PATH" in capsys.readouterr().out
