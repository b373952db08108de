"""``kubectl wasmai status NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import KubectlCommand, cluster_options

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions

_NOT_READY = 3


@click.command(
    "status",
    cls=KubectlCommand,
    short_help="Show how a deployment and its pods stand.",
    epilog="""\b
Examples:
  kubectl wasmai status web
  kubectl wasmai status web -o json""",
)
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Choice(["json", "yaml"]), help="The same as one document."
)
@cluster_options
@click.pass_context
def command(
    context: click.Context, connection: ConnectionOptions, name: str, output: str | None
) -> None:
    """Show the Deployment NAME, its Service, and how far each of its pods has come.

    Exit code 0: ready. 3: not ready.
    """
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.deploy import output as forms
    from kubectl_wasmai.deploy.status import describe, read_status

    with connect(connection) as cluster:
        status = read_status(cluster, name, cluster.namespace)
    if output == "json":
        click.echo(forms.to_json(status.document()))
    elif output == "yaml":
        click.echo(forms.to_yaml(status.document()), nl=False)
    else:
        click.echo(describe(status))
    if not status.progress.done:
        context.exit(_NOT_READY)
