"""``kubectl wasmai snapshot``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import KubectlCommand, cluster_options
from kubectl_wasmai.cli.terminal import progress
from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions


@click.group()
def command() -> None:
    """Save, redact and compare what the doctor looks at.

    A snapshot is a directory or .tar.gz of `kubectl get -o json` lists and logs; it is redacted
    by default, and `doctor --from` gives the same report from it as from the cluster.
    """


@command.command(cls=KubectlCommand)
@click.argument("path")
@click.option("-A", "--all-namespaces", is_flag=True, help="Save all namespaces.")
@click.option("--no-redact", is_flag=True, help="Keep tokens, passwords and keys as they are.")
@cluster_options
def save(connection: ConnectionOptions, path: str, all_namespaces: bool, no_redact: bool) -> None:
    """Save the cluster's state to PATH (a directory, or NAME.tar.gz).

    \b
    Examples:
      kubectl wasmai snapshot save cluster.tar.gz -A
      kubectl wasmai snapshot save models -n models
    """
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.doctor import Options, wanted
    from kubectl_wasmai.snapshot import collect_whole
    from kubectl_wasmai.snapshot.save import members, write

    with connect(connection) as cluster:
        scope = None if all_namespaces else cluster.namespace
        with progress("collecting") as say:
            collected = collect_whole(
                cluster, namespace=scope, progress=say, wanted=wanted(Options())
            )
    write(Path(path), members(collected, redact=not no_redact))
    objects = sum(len(each) for each in collected.snapshot.objects.values())
    click.echo(f"saved {objects} objects and {len(collected.snapshot.logs)} logs to {path}")
    for denied in collected.snapshot.info.collection.denied:
        click.echo(f"missing, since you may not {denied.verb} it: {denied.resource}", err=True)


@command.command()
@click.argument("source")
@click.argument("target")
def redact(source: str, target: str) -> None:
    """Write SOURCE again as TARGET, without tokens, passwords and keys.

    \b
    Example:
      kubectl wasmai snapshot redact cluster cluster-redacted.tar.gz
    """
    from kubectl_wasmai.snapshot.files import read_members
    from kubectl_wasmai.snapshot.rewrite import redacted
    from kubectl_wasmai.snapshot.save import write

    write(Path(target), redacted(read_members(source)))
    click.echo(f"wrote {target}")


@command.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> int:
    """Say what changed between two snapshots; exit 1 where something did, as diff does.

    \b
    Example:
      kubectl wasmai snapshot diff monday.tar.gz tuesday.tar.gz
    """
    from kubectl_wasmai.snapshot import load
    from kubectl_wasmai.snapshot.difference import difference

    lines = difference(load(before), load(after))
    for line in lines:
        click.echo(harmless(line))
    return 1 if lines else 0
