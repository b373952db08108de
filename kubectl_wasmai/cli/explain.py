"""``kubectl wasmai explain``"""

from __future__ import annotations

import click


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
def command(id_: str | None) -> None:
    """Show the runbook page of a check or a root cause.

    Works offline: the pages are part of the plugin. Without ID, lists what there is.

    \b
    Examples:
      kubectl wasmai explain
      kubectl wasmai explain runtimeclass-missing
    """
    from kubectl_wasmai.doctor.explain import index, page

    text = page(id_) if id_ else index()
    click.echo_via_pager(text)
