"""Every command line that a page shows can be typed: our own click tree reads it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePath
from typing import NamedTuple

import click
import pytest

from kubectl_wasmai.cli.main import COMMANDS, cli
from kubectl_wasmai.doctor.explain import page

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for folder, pattern in ((".", "*.md"), ("docs", "**/*.md"), ("runbooks", "*.md"))
    for path in (ROOT / folder).glob(pattern)
)

READ_ONLY_VERBS = frozenset(
    {"api-resources", "auth", "cluster-info", "config", "describe", "events", "explain", "get"}
    | {"logs", "rollout", "top", "version", "wasmai"}
)
READ_ONLY_SUBVERBS = {
    "auth": {"can-i", "whoami"},
    "config": {"view", "current-context", "get-contexts"},
    "rollout": {"status", "history"},
    "wasmai": {"doctor", "explain", "list", "status", "logs", "version", "snapshot"},
}
READ_ONLY_PROGRAMS = frozenset(
    {"containerd", "crictl", "crun", "ctr", "grep", "head", "journalctl", "kubectl"}
    | {"nvidia-smi", "od", "sha256sum", "wasm-tools"}
)
SHELL_OPERATORS = ("|", "||", "&&", ";", "&", "(", ")", "<", ">", ">>", "<<", "<(")


class Line(NamedTuple):
    """One command of a fenced ``sh`` block: its words, and the heading it stands under."""

    page: str
    section: str
    words: tuple[str, ...]


def command_lines(path: Path) -> list[Line]:
    text = path.read_text("utf-8")
    lines, section = list[Line](), ""
    for heading, fence in re.findall(
        r"^## ([^\n]+)$|^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        section = heading or section
        for line in fence.replace("\\\n", " ").splitlines():
            lines += [Line(path.name, section, words) for words in commands(line)]
    return lines


def commands(line: str) -> list[tuple[str, ...]]:
    """The simple commands of one shell line, without redirections, prompts and comments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in SHELL_OPERATORS:
                found.append([])
            else:
                found[-1].append(word)
    except ValueError:  # a line inside a here-document
        return []
    return [tuple(words) for words in found if words]


def ours(words: tuple[str, ...]) -> list[str] | None:
    """The arguments, if it is a line for this plugin; paths and assignments may stand before."""
    for position, word in enumerate(words):
        name = PurePath(word).name
        if name == "kubectl-wasmai":
            return list(words[position + 1 :])
        if name == "kubectl":
            return list(words[position + 2 :]) if words[position + 1 :][:1] == ("wasmai",) else None
    return None


def understand(
    command: click.Command,
    name: str,
    arguments: list[str],
    parent: click.Context | None = None,
) -> None:
    """Reads a command line as click would, and stops before anything runs."""
    try:
        context = command.make_context(name, list(arguments), parent)
    except click.exceptions.Exit:  # --help and --version have answered
        return
    if isinstance(command, click.Group):
        _, rest, _ = command.make_parser(context).parse_args(list(arguments))
        subname, subcommand, rest = command.resolve_command(context, rest)
        assert subcommand is not None
        understand(subcommand, subname or "", rest, context)


LINES = [line for path in PAGES for line in command_lines(path)]
OUR_LINES = sorted({(line.page, *arguments) for line in LINES if (arguments := ours(line.words))})


@pytest.mark.parametrize("line", OUR_LINES, ids=" ".join)
def test_lines_for_the_plugin_are_understood(line: tuple[str, ...]) -> None:
    understand(cli, "kubectl wasmai", list(line[1:]))


def test_a_line_with_an_unknown_flag_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        understand(cli, "kubectl wasmai", ["doctor", "--no-such-flag"])
    with pytest.raises(click.UsageError):
        understand(cli, "kubectl wasmai", ["no-such-command"])


def test_there_are_lines_to_look_at() -> None:
    assert len(OUR_LINES) > len(COMMANDS)


DIAGNOSIS = [line for line in LINES if line.section == "Diagnosis"]


@pytest.mark.parametrize("line", DIAGNOSIS, ids=lambda each: " ".join((each.page, *each.words)))
def test_a_diagnosis_changes_nothing(line: Line) -> None:
    program, *arguments = line.words

    assert program in READ_ONLY_PROGRAMS
    if program == "kubectl":
        verb, subverb, *_ = *arguments, ""
        assert verb in READ_ONLY_VERBS
        assert subverb in READ_ONLY_SUBVERBS.get(verb, {subverb})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_point_to_commands_and_pages_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")

    for command in re.findall(r"kubectl wasmai[ \n]([a-z]+)\b", text):
        assert command in COMMANDS
    for id_ in re.findall(r"kubectl wasmai explain[ \n]([a-z-]+)", text):
        assert page(id_)
