"""``kubectl wasmai logs NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import KubectlCommand, cluster_options, kube_bool

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions


@click.command(
    "logs",
    cls=KubectlCommand,
    short_help="Show what a deployment's pods wrote.",
    epilog="""\b
Examples:
  kubectl wasmai logs web
  kubectl wasmai logs web --previous --tail 20""",
)
@click.argument("name")
@click.option("-p", "--previous", is_flag=True, help="Of the run before the last restart.")
@click.option(
    "--tail",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="LINES",
    help="The last lines of each pod.",
)
@kube_bool("--timestamps", help="Begin each line with its time.")
@kube_bool("--prefix", default=None, help="Begin each line with its pod.  [default: if several]")
@cluster_options
def command(
    connection: ConnectionOptions,
    name: str,
    previous: bool,
    tail: int,
    timestamps: bool,
    prefix: bool | None,
) -> None:
    """Show the logs of all pods of NAME, at most 256 KiB of each.

    Colours and control characters are not passed on.
    """
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.deploy.logs import read_logs

    with connect(connection) as cluster:
        logs = list(
            read_logs(
                cluster,
                name,
                cluster.namespace,
                previous=previous,
                tail=tail,
                timestamps=timestamps,
            )
        )
    if not logs:
        click.echo(f"{name} has no pods", err=True)
    named = len(logs) > 1 if prefix is None else prefix
    for log in logs:
        origin = f"[pod/{log.pod}/{log.container}] " if named else ""
        if log.missing:
            click.echo(f"{origin}{log.missing}", err=True)
        for line in log.text.splitlines():
            click.echo(f"{origin}{line}")
