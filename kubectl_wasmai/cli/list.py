"""``kubectl wasmai list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import KubectlCommand, cluster_options, kube_bool

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions


@click.command(
    "list",
    cls=KubectlCommand,
    short_help="List what deploy has made.",
    epilog="""\b
Examples:
  kubectl wasmai list
  kubectl wasmai list -A -o wide
  kubectl wasmai list -l team=vision -o name""",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="List in all namespaces.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="Label query, such as a=b.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["wide", "json", "yaml", "name"]),
    help="More columns, or the Deployments themselves.",
)
@kube_bool("--no-headers", help="Leave the column headers out.")
@cluster_options
def command(
    connection: ConnectionOptions,
    all_namespaces: bool,
    selector: str,
    output: str | None,
    no_headers: bool,
) -> None:
    """List the Deployments made by kubectl wasmai deploy."""
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.deploy import inventory
    from kubectl_wasmai.deploy.output import render
    from kubectl_wasmai.deploy.text import table

    wide = output == "wide"
    with connect(connection) as cluster:
        namespace = None if all_namespaces else cluster.namespace
        found = inventory.take(cluster, namespace, selector, wide=wide)
    if output in ("json", "yaml", "name"):
        click.echo(render([inventory.typed(one) for one in found.deployments], output))
        return
    if not found.deployments:
        where = f" in {namespace} namespace" if namespace else ""
        click.echo(f"No resources found{where}.", err=True)
        return
    rows = [
        inventory.row(found, one, wide=wide, all_namespaces=all_namespaces)
        for one in found.deployments
    ]
    headers = inventory.headers(wide=wide, all_namespaces=all_namespaces)
    click.echo(table(headers, rows, show_headers=not no_headers))
