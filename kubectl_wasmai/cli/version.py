"""``kubectl wasmai version``"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kubectl_wasmai import __version__
from kubectl_wasmai.cli.options import KubectlCommand, cluster_options

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions


@click.command(cls=KubectlCommand)
@click.option(
    "--with-server", "ask_server", is_flag=True, help="Ask the cluster for its version, too."
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@cluster_options
def command(connection: ConnectionOptions, ask_server: bool, output: str) -> None:
    """Print the version of this plugin and of the server.

    \b
    Examples:
      kubectl wasmai version
      kubectl wasmai version --with-server -o json
    """
    versions = {"clientVersion": __version__}
    if ask_server:
        from kubectl_wasmai.cluster import connect

        with connect(connection) as cluster:
            versions["serverVersion"] = str(cluster.version().get("gitVersion", ""))
    if output == "json":
        click.echo(json.dumps(versions, indent=2))
        return
    for name, version in versions.items():
        click.echo(f"{'Client' if name == 'clientVersion' else 'Server'} Version: {version}")
