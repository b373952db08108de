"""``kubectl wasmai doctor``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.options import KubectlCommand, cluster_options
from kubectl_wasmai.cli.terminal import color_wanted, progress

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import ConnectionOptions
    from kubectl_wasmai.snapshot import ClusterSnapshot, Subject


@click.command(cls=KubectlCommand)
@click.option("-A", "--all-namespaces", is_flag=True, help="Look at all namespaces.")
@click.option(
    "--checklist",
    "checklists",
    multiple=True,
    metavar="NAME",
    help="Only this checklist (pre-deployment, runtime). May be repeated.",
)
@click.option("--check", "only", multiple=True, metavar="ID", help="Only this check.")
@click.option("--skip", multiple=True, metavar="ID", help="Not this check.")
@click.option("--for", "for_", metavar="KIND/NAME", help="Only one workload: deployment/web.")
@click.option(
    "--from",
    "from_",
    metavar="PATH",
    help="Judge a saved snapshot (file, directory, .tar.gz, - for stdin), with no cluster.",
)
@click.option("--save-snapshot", metavar="PATH", help="Also save what the doctor saw.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json", "yaml"]),
    default="table",
    help="Output format.",
    show_default=True,
)
@click.option("-q", "--quiet", is_flag=True, help="Print the root causes only.")
@click.option("--strict", is_flag=True, help="Exit 4 when something is WARN or UNKNOWN.")
@click.option("--timings", is_flag=True, help="Fill durationMs of each check.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@cluster_options
def command(
    connection: ConnectionOptions,
    all_namespaces: bool,
    checklists: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    for_: str | None,
    from_: str | None,
    save_snapshot: str | None,
    output: str,
    quiet: bool,
    strict: bool,
    timings: bool,
    color: str,
) -> int:
    """Run the checklists and name the root cause of what is broken.

    Reads only: nothing in the cluster is changed, and Secrets are never asked for.
    Exit codes: 0 nothing failed, 1 nothing could be judged, 2 wrong usage,
    3 a check failed, 4 (with --strict) only warnings or unknowns.

    \b
    Examples:
      kubectl wasmai doctor -n models
      kubectl wasmai doctor --for deployment/web -o json
      kubectl wasmai doctor -A --save-snapshot cluster.tar.gz
      kubectl wasmai doctor --from cluster.tar.gz
    """
    from kubectl_wasmai.doctor import Options, examine
    from kubectl_wasmai.report import write_diagnoses, write_report

    if from_ and save_snapshot:
        raise click.UsageError("--from and --save-snapshot exclude each other")
    snapshot, namespace = _snapshot(connection, from_, save_snapshot, all_namespaces)
    options = Options(_subject(for_, namespace), checklists, only, skip)
    report = examine(snapshot, options, timings=timings)
    colored = color_wanted(sys.stdout, color)
    if quiet:
        write_diagnoses(report, sys.stdout, color=colored)
    else:
        write_report(report, output, sys.stdout, color=colored)
    return report.strict_exit_code if strict else report.exit_code


def _snapshot(
    connection: ConnectionOptions, source: str | None, target: str | None, all_namespaces: bool
) -> tuple[ClusterSnapshot, str]:
    """The snapshot to judge, and the namespace that ``--for`` names objects in."""
    from kubectl_wasmai.snapshot import collect, collect_whole, load, restrict

    if source:
        namespace = None if all_namespaces else connection.namespace
        snapshot = restrict(load(source), namespace)
        return snapshot, connection.namespace or snapshot.info.namespace or "default"
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.snapshot.save import members, write

    with connect(connection) as cluster:
        scope = None if all_namespaces else cluster.namespace
        with progress("collecting") as say:
            if not target:
                return collect(cluster, namespace=scope, progress=say), cluster.namespace
            collected = collect_whole(cluster, namespace=scope, progress=say)
        write(Path(target), members(collected))
        click.echo(f"saved {target}", err=True)
        return collected.snapshot, cluster.namespace


def _subject(text: str | None, namespace: str) -> Subject | None:
    """``deployment/web``, ``deploy/web`` or ``pod/web-1`` as an object's name."""
    from kubectl_wasmai.snapshot import Subject

    if text is None:
        return None
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = "deployment", text
    known = KINDS.get(kind.lower().partition(".")[0])
    if known is None or not name:
        raise click.UsageError(
            f"--for {text}: expected KIND/NAME with a kind of {', '.join(sorted(set(KINDS)))}"
        )
    return Subject(known, namespace, name)


KINDS = {
    "deployment": "Deployment",
    "deployments": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "sts": "StatefulSet",
    "daemonset": "DaemonSet",
    "ds": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "replicaset": "ReplicaSet",
    "rs": "ReplicaSet",
    "pod": "Pod",
    "po": "Pod",
}
