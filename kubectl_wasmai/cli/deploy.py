"""``kubectl wasmai deploy NAME --image REF``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from kubectl_wasmai.cli.options import Duration, KubectlCommand, cluster_options, kube_bool

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster, ConnectionOptions
    from kubectl_wasmai.deploy.apply import Written
    from kubectl_wasmai.deploy.request import DeployRequest
    from kubectl_wasmai.deploy.wait import Outcome


@click.command(
    "deploy",
    cls=KubectlCommand,
    short_help="Run a WebAssembly image as a Deployment with a Service.",
    epilog="""\b
Examples:
  kubectl wasmai deploy web --image example.com/mnist:1
  kubectl wasmai deploy web --image example.com/mnist:1 --class wasm \\
      --replicas 3 --env MODEL=mnist -- --verbose
  kubectl wasmai deploy web --image example.com/mnist:1 --class wasm \\
      --dry-run=client -o yaml | kubectl apply -f -""",
)
@click.argument("name")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--image", required=True, metavar="REF", help="Image whose entrypoint is a .wasm.")
@click.option(
    "--class",
    "runtime_class",
    metavar="NAME",
    help="RuntimeClass of the pods. Default: the only one that can run WebAssembly.",
)
@click.option(
    "--replicas",
    type=int,
    metavar="N",
    help="Number of pods. Default: 1, or the number an existing Deployment has.",
)
@click.option(
    "--port",
    type=int,
    default=8080,
    show_default=True,
    metavar="PORT",
    help="Port of the module and of the Service; the module is told it as PORT.",
)
@click.option(
    "--health-path",
    default="/v2/health/ready",
    show_default=True,
    metavar="PATH",
    help="HTTP path of the probes.",
)
@click.option(
    "--requests",
    multiple=True,
    metavar="LIST",
    help="What a pod is promised.  [default: cpu=100m,memory=64Mi]",
)
@click.option(
    "--limits",
    multiple=True,
    metavar="LIST",
    help="What a pod may use; 0 is no limit.  [default: cpu=1,memory=512Mi]",
)
@click.option("--env", multiple=True, metavar="K=V", help="Environment variable; repeatable.")
@click.option(
    "--image-pull-policy",
    type=click.Choice(["Always", "IfNotPresent", "Never"]),
    help="When nodes pull the image. Default: Always for latest, else IfNotPresent.",
)
@click.option(
    "--labels", multiple=True, metavar="K=V", help="Label of everything made; repeatable."
)
@click.option(
    "--annotations", multiple=True, metavar="K=V", help="Annotation of the pods; repeatable."
)
@click.option(
    "--run-as-user",
    type=int,
    default=65532,
    show_default=True,
    metavar="UID",
    help="User the module runs as; 0 is root.",
)
@click.option(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    show_default=True,
    help="client: only show. server: let the API server check, keep nothing.",
)
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json", "name"]), help="Print the objects."
)
@kube_bool("--wait", default=True, help="Wait until all pods are ready.  [default: true]")
@click.option(
    "--timeout",
    type=Duration(negative=True),
    default="2m",
    show_default=True,
    metavar="DURATION",
    help="How long to wait; 0 looks once, less than 0 means a week.",
)
@kube_bool("--force-conflicts", help="Take over fields that others have changed.")
@cluster_options
def command(
    connection: ConnectionOptions,
    dry_run: str,
    output: str | None,
    wait: bool,
    timeout: float,
    force_conflicts: bool,
    **asked: Any,
) -> None:
    """Run the WebAssembly image REF as Deployment NAME, behind a Service of that name.

    Words after -- are the module's arguments. Running it again changes what differs and nothing
    else. What is not ready in time is diagnosed (exit code 3) and left in place.
    """
    from kubectl_wasmai.deploy.request import RequestError

    try:
        if dry_run == "client" and asked["runtime_class"]:
            _show(_request(asked, connection.namespace), output)
            return
        _on_cluster(connection, asked, dry_run, output, wait, timeout, force_conflicts)
    except RequestError as error:
        raise click.UsageError(str(error)) from None


def _on_cluster(
    connection: ConnectionOptions,
    asked: dict[str, Any],
    dry_run: str,
    output: str | None,
    wait: bool,
    timeout: float,
    force_conflicts: bool,
) -> None:
    from kubectl_wasmai.cluster import connect
    from kubectl_wasmai.deploy import ownership, runtimeclass

    # What is wrong with the request itself is told before anybody is asked anything.
    _request({**asked, "runtime_class": asked["runtime_class"] or "chosen-later"}, None, quiet=True)
    with connect(connection, on_warning=_warn) as cluster:
        choice = runtimeclass.resolve(cluster, asked["runtime_class"])
        _say(choice.note)
        _warn(choice.warning)
        asked = {**asked, "runtime_class": choice.name}
        if dry_run == "client":
            _show(_request(asked, connection.namespace), output, choice.handler)
            return
        request = _request(asked, cluster.namespace)
        existing = ownership.read_readable(cluster, request.name, cluster.namespace)
        written = _apply(
            cluster, request, choice.handler, existing, dry_run, output, force_conflicts
        )
        if wait and dry_run == "none":
            _wait(cluster, request.name, timeout, written, output, choice.handler is not None)


def _request(asked: dict[str, Any], namespace: str | None, *, quiet: bool = False) -> DeployRequest:
    """Raises RequestError. ``quiet``: without the warning about a moving image tag."""
    from kubectl_wasmai.deploy import request as requests

    pairs = {
        "requests": requests.parse_resources("--requests", asked["requests"]),
        "limits": requests.parse_resources("--limits", asked["limits"]),
        "env": requests.parse_pairs("--env", asked["env"]),
        "annotations": requests.parse_pairs("--annotations", asked["annotations"]),
        "labels": requests.parse_pairs("--labels", asked["labels"], commas=True),
    }
    request = requests.DeployRequest(**{**asked, **pairs, "namespace": namespace})
    if not quiet:
        _warn(requests.image_warning(request.image))
    return request


def _show(request: DeployRequest, output: str | None, handler: str | None = None) -> None:
    """``--dry-run=client``: no request is sent for this."""
    from kubectl_wasmai.deploy.manifests import build
    from kubectl_wasmai.deploy.output import render

    manifests = build(request, handler)
    if output:
        click.echo(render(manifests, output))
        return
    for line in render(manifests, "name").splitlines():
        click.echo(f"{line} created (dry run)")


def _apply(
    cluster: Cluster,
    request: DeployRequest,
    handler: str | None,
    existing: dict[Any, dict[str, Any]],
    dry_run: str,
    output: str | None,
    force_conflicts: bool,
) -> list[Written]:
    from kubectl_wasmai.deploy.apply import apply_all, keep_scale
    from kubectl_wasmai.deploy.manifests import build
    from kubectl_wasmai.deploy.output import render

    manifests = build(request, handler)
    if request.replicas is None:
        manifests = keep_scale(manifests, existing)
    written = []
    for one in apply_all(
        cluster,
        manifests,
        dry_run="server" if dry_run == "server" else "none",
        force_conflicts=force_conflicts,
    ):
        written.append(one)
        if not output:
            suffix = " (server dry run)" if dry_run == "server" else ""
            click.echo(f"{one.reference} {one.operation}{suffix}")
    if output:
        click.echo(render([one.object for one in written], output))
    return written


def _wait(
    cluster: Cluster,
    name: str,
    timeout: float,
    written: list[Written],
    output: str | None,
    class_seen: bool,
) -> None:
    from kubectl_wasmai.deploy.display import LiveProgress
    from kubectl_wasmai.deploy.wait import Follower

    sys.stdout.flush()
    try:
        with LiveProgress(name, timeout) as live:
            follower = Follower(cluster, cluster.namespace, name, class_seen, live.show)
            outcome = follower.wait(timeout)
            lines = _success(cluster, follower, outcome, written) if outcome.progress.done else []
    except KeyboardInterrupt:
        _say(_interrupted(name, cluster.namespace, written))
        raise click.exceptions.Exit(130) from None
    if not outcome.progress.done:
        _fail(cluster, name, outcome, timeout)
    for line in lines:
        click.echo(line, err=bool(output))


def _success(
    cluster: Cluster, follower: Any, outcome: Outcome, written: list[Written]
) -> list[str]:
    from kubectl_wasmai.deploy.summary import success

    service = next((one.object for one in written if one.object["kind"] == "Service"), None)
    timelines = follower.timelines(outcome.progress)
    return success(follower.name, cluster.namespace, outcome, service, timelines)


def _fail(cluster: Cluster, name: str, outcome: Outcome, timeout: float) -> None:
    from kubectl_wasmai.cli.terminal import color_wanted
    from kubectl_wasmai.deploy.diagnosis import diagnose
    from kubectl_wasmai.deploy.summary import failure

    diagnose(cluster, name, color=color_wanted(sys.stderr))
    raise failure(name, cluster.namespace, outcome, timeout)


def _interrupted(name: str, namespace: str, written: list[Written]) -> str:
    applied = " and ".join(one.reference for one in written)
    return (
        f"\ninterrupted: {applied} in namespace {namespace} stay as applied\n"
        f"  see them:    kubectl wasmai status {name} -n {namespace}\n"
        f"  delete them: kubectl wasmai delete {name} -n {namespace}"
    )


def _warn(text: str) -> None:
    if text:
        _say(f"Warning: {text}")


def _say(text: str) -> None:
    if text:
        click.echo(text, err=True)
