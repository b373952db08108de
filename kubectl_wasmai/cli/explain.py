"""``kubectl wasmai explain``"""

from __future__ import annotations

import os
import shutil
import sys

import click

from kubectl_wasmai.cli.terminal import color_wanted

WIDEST = 100
"""Columns: longer lines are hard to read."""


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
def command(id_: str | None) -> None:
    """Show the runbook page of a check or a root cause.

    Works offline: the pages are part of the plugin. Without ID, lists what there is. In a
    terminal the page is set for reading; into a pipe or file goes its Markdown.

    \b
    Examples:
      kubectl wasmai explain
      kubectl wasmai explain runtimeclass-missing
    """
    from kubectl_wasmai.doctor.explain import index, page

    text = page(id_) if id_ else index()
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from kubectl_wasmai.report.page import render_page

    columns = min(shutil.get_terminal_size().columns, WIDEST)
    shown = render_page(text, width=columns, color=color_wanted(sys.stdout)) if id_ else text
    # As git does: colours pass, and what fits on the screen needs no key to leave.
    os.environ.setdefault("LESS", "FRX")
    click.echo_via_pager(shown, color=color_wanted(sys.stdout))
