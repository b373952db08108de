"""Writes docs/reference/commands.md from the commands' own ``--help``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.main import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "reference" / "commands.md"
WIDTH = 90

HEAD = """\
# Commands

What `--help` prints, command by command. This page is generated (`make docs`); change the help
texts in `kubectl_wasmai/cli/` instead.
"""


def text() -> str:
    """The whole page."""
    root = context(cli, "kubectl wasmai", None)
    blocks = [HEAD, block(root)]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        if command is not None:
            blocks += [block(each) for each in contexts(command, name, root)]
    return "\n".join(blocks)


def contexts(command: click.Command, name: str, parent: click.Context) -> Iterator[click.Context]:
    """The command's own context, then those of its subcommands."""
    own = context(command, name, parent)
    yield own
    if isinstance(command, click.Group):
        for subname in command.list_commands(own):
            subcommand = command.get_command(own, subname)
            if subcommand is not None:
                yield context(subcommand, subname, own)


def context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command,
        parent,
        info_name=name,
        terminal_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


def block(own: click.Context) -> str:
    help_text = "\n".join(line.rstrip() for line in own.get_help().splitlines())
    return f"## {own.command_path}\n\n```text\n{help_text}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
