"""``kubectl wasmai delete NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import Duration, KubectlCommand, cluster_options, kube_bool

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions

_SUFFIX = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


@click.command(
    "delete",
    cls=KubectlCommand,
    short_help="Delete what deploy has made under a name.",
    epilog="""\b
Examples:
  kubectl wasmai delete web
  kubectl wasmai delete web --dry-run=server""",
)
@click.argument("name")
@click.option(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    show_default=True,
    help="client: only show. server: let the API server check, delete nothing.",
)
@kube_bool("--ignore-not-found", help="Nothing to delete is no error.")
@kube_bool("--wait", default=True, help="Wait until the pods are gone.  [default: true]")
@click.option(
    "--timeout",
    type=Duration(),
    default="2m",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for that.",
)
@cluster_options
def command(
    connection: ConnectionOptions,
    name: str,
    dry_run: str,
    ignore_not_found: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Delete the Deployment and the Service called NAME.

    Only objects made by kubectl wasmai deploy are deleted. If either belongs to somebody else,
    neither is touched.
    """
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.deploy import ownership, remove

    with connect(connection) as cluster:
        namespace = cluster.namespace
        found = remove.find(cluster, name, namespace)
        if not found and not ignore_not_found:
            raise ownership.nothing(name, namespace)
        for resource in remove.remove(cluster, found, name, namespace, dry_run=dry_run):
            click.echo(f'{resource.full_name} "{name}" deleted{_SUFFIX[dry_run]}')
        if found and wait and dry_run == "none":
            remove.wait_gone(cluster, name, namespace, timeout)
