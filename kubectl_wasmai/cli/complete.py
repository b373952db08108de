"""``kubectl_complete-wasmai``: what kubectl calls to complete a command line.

The protocol is cobra's: one choice a line, ``choice<TAB>description``, and last ``:4``, which
says "offer no file names" (kubectl ``pkg/cmd/plugin_completion.go``). No cluster is asked.
"""

from __future__ import annotations

import sys

from click.shell_completion import ShellComplete

from kubectl_wasmai.cli.main import cli

NO_FILES, FILES = ":4", ":0"


def main() -> None:
    """Completes the words in ``sys.argv``; the last one is the word being typed."""
    print(completions(sys.argv[1:] or [""]))  # noqa: T201 - this is the protocol


def completions(words: list[str]) -> str:
    """The whole answer; silent rather than wrong where the line makes no sense."""
    engine = ShellComplete(cli, {}, "kubectl wasmai", "_WASMAI_COMPLETE")
    items = engine.get_completions(words[:-1], words[-1])
    lines = [f"{item.value}\t{item.help}" if item.help else item.value for item in items]
    plain = [line for item, line in zip(items, lines, strict=True) if item.type == "plain"]
    directive = FILES if len(plain) < len(items) else NO_FILES
    return "\n".join([*plain, directive])
