"""``kubectl wasmai doctor``"""

from __future__ import annotations

import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.asked import asked, named_subject, refuse_contradictions
from kubectl_wasmai.cli.options import Duration, KubectlCommand, cluster_options
from kubectl_wasmai.cli.screen import Screen
from kubectl_wasmai.cli.terminal import color_wanted, progress, redrawable
from kubectl_wasmai.cli.watch import heading
from kubectl_wasmai.cli.watch import watch as repeat
from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_wasmai.cluster import ConnectionOptions
    from kubectl_wasmai.doctor import Report
    from kubectl_wasmai.snapshot import ClusterSnapshot
    from kubectl_wasmai.snapshot.logs import Wanted

FORMATS = (
    "table", "wide", "json", "yaml", "junit", "markdown", "html", "sarif", "prometheus",
)  # fmt: skip
"""As ``report.FORMATS``, which ``--help`` must not import."""

PERCENT = click.FloatRange(0, 100)


@click.command(cls=KubectlCommand)
@click.option("-A", "--all-namespaces", is_flag=True, help="Look at all namespaces.")
@click.option(
    "--checklist",
    "checklists",
    multiple=True,
    metavar="NAME|FILE.md",
    help="Only this checklist: one of ours by name, or your own file. May be repeated.",
)
@click.option("--check", "only", multiple=True, metavar="ID", help="Only this check.")
@click.option("--skip", multiple=True, metavar="ID", help="Not this check.")
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID[=KIND/NAMESPACE/NAME]",
    help="Raise no alarm for this check or cause, of one object or of all. May be repeated.",
)
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
    type=click.Choice(FORMATS),
    default="table",
    help="Output format.",
    show_default=True,
)
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict and the root causes only.")
@click.option("-w", "--watch", is_flag=True, help="Look again and again until Ctrl-C.")
@click.option(
    "--interval",
    type=Duration(),
    default="30s",
    metavar="DURATION",
    show_default=True,
    help="Pause between two looks of --watch, at least 1s.",
)
@click.option(
    "--signatures",
    multiple=True,
    metavar="FILE.toml",
    help="Your own texts and causes, matched before ours. May be repeated.",
)
@click.option(
    "--max-latency", type=Duration(), default="50ms", metavar="DURATION", show_default=True,
    help="Slowest inference that is well.",
)  # fmt: skip
@click.option(
    "--max-cold-start", type=Duration(), default="10ms", metavar="DURATION", show_default=True,
    help="Slowest start of a module that is well.",
)  # fmt: skip
@click.option(
    "--min-gpu-utilization", type=PERCENT, default=50.0, metavar="PERCENT", show_default=True,
    help="Least use of a granted GPU that is well.",
)  # fmt: skip
@click.option(
    "--max-memory", type=PERCENT, default=80.0, metavar="PERCENT", show_default=True,
    help="Most use of a memory limit that is well.",
)  # fmt: skip
@click.option("--stats", is_flag=True, help="Print what collecting took, on stderr.")
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
    ignored: tuple[str, ...],
    for_: str | None,
    from_: str | None,
    save_snapshot: str | None,
    output: str,
    quiet: bool,
    watch: bool,
    interval: float,
    signatures: tuple[str, ...],
    max_latency: float,
    max_cold_start: float,
    min_gpu_utilization: float,
    max_memory: float,
    stats: bool,
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
      kubectl wasmai doctor --from cluster.tar.gz -o html > report.html
      kubectl wasmai doctor --checklist go-live.md -o markdown
    """
    from kubectl_wasmai.doctor import chosen_checklists, examine
    from kubectl_wasmai.doctor.model import Thresholds
    from kubectl_wasmai.heap import no_garbage_collection
    from kubectl_wasmai.report import write_quiet, write_report

    refuse_contradictions(from_, save_snapshot, watch=watch, quiet=quiet, output=output)
    limits = Thresholds(max_latency, max_cold_start, min_gpu_utilization, max_memory)
    options = asked(checklists, only, skip, ignored, signatures, limits)
    checked = chosen_checklists(options)
    colored = color_wanted(sys.stdout, color)

    @no_garbage_collection()
    def look() -> Report:
        snapshot, namespace = _snapshot(
            connection,
            from_,
            save_snapshot,
            all_namespaces,
            lambda name: _wanted(for_, name),
            silent=watch,
        )
        chosen = replace(options, subject=named_subject(for_, namespace))
        report = examine(snapshot, chosen, timings=timings)
        if stats:
            click.echo(_stats(report), err=True)
        return report

    def show(report: Report) -> str:
        out = StringIO()
        if quiet:
            write_quiet(report, out, color=colored)
        else:
            write_report(
                report,
                output,
                out,
                color=colored,
                checklists=checked,
                causes_last=sys.stdout.isatty() and not watch,
                strict=strict,
            )
        return out.getvalue()

    if watch:
        screen = Screen(sys.stdout) if redrawable(sys.stdout, output) else None
        repeat(look, show, interval=max(interval, 1.0), screen=screen, heading=heading(output))
    report = look()
    for each in ignored:
        if not any(entry.by.startswith(f"--ignore {each}") for entry in report.ignored):
            click.echo(f"note: --ignore {harmless(each)} silences nothing", err=True)
    click.echo(show(report), nl=False)
    return report.strict_exit_code if strict else report.exit_code


def _stats(report: Report) -> str:
    """One line: ``15 requests, 1.3 MB, 0.8 s; denied: list nodes``."""
    seen = report.collection
    text = f"{seen.requests} requests, {seen.bytes / 1e6:.1f} MB, {seen.seconds:.1f} s"
    denied = ", ".join(f"{each.verb} {each.resource}" for each in seen.denied)
    return f"{text}; denied: {denied or 'nothing'}"


def _snapshot(
    connection: ConnectionOptions,
    source: str | None,
    target: str | None,
    all_namespaces: bool,
    wanted: Callable[[str], Wanted],
    *,
    silent: bool,
) -> tuple[ClusterSnapshot, str]:
    """The snapshot to judge, and the namespace that ``--for`` names objects in. ``wanted`` tells
    for such a namespace whose logs are read first."""
    from kubectl_wasmai.snapshot import collect, collect_whole, load, restrict

    if source:
        namespace = None if all_namespaces else connection.namespace
        snapshot = restrict(load(source), namespace)
        return snapshot, connection.namespace or snapshot.info.namespace or "default"
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.doctor import prepare
    from kubectl_wasmai.snapshot.save import members, write

    with connect(connection) as cluster:
        scope = None if all_namespaces else cluster.namespace
        first = wanted(cluster.namespace)
        with progress("collecting", silent=silent) as say:
            if not target:
                seen = collect(
                    cluster, namespace=scope, progress=say, wanted=first, meanwhile=prepare
                )
                return seen, cluster.namespace
            collected = collect_whole(
                cluster, namespace=scope, progress=say, wanted=first, meanwhile=prepare
            )
        write(Path(target), members(collected))
        click.echo(f"saved {target}", err=True)
        return collected.snapshot, cluster.namespace


def _wanted(for_: str | None, namespace: str) -> Wanted:
    from kubectl_wasmai.doctor import Options, wanted

    return wanted(Options(subject=named_subject(for_, namespace)))
