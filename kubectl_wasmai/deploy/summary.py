"""The words at the end of a wait, for success and for failure. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy import timeline
from kubectl_wasmai.deploy.inventory import address
from kubectl_wasmai.deploy.manifests import FIRST_UNPRIVILEGED_PORT
from kubectl_wasmai.deploy.request import DEFAULT_PORT
from kubectl_wasmai.deploy.text import duration, table
from kubectl_wasmai.errors import NotReady

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.deploy.rollout import Progress
    from kubectl_wasmai.deploy.timeline import Timeline
    from kubectl_wasmai.deploy.wait import Outcome

_LINES_SHOWN = 5


def success(
    name: str,
    namespace: str,
    outcome: Outcome,
    service: Mapping[str, Any] | None,
    timelines: Sequence[Timeline],
) -> list[str]:
    """That it is ready, how the start-up went if there was one, and how to reach it."""
    progress = outcome.progress
    lines = [f"{name} is ready: {_count(progress.ready, progress.desired)}"]
    if timelines:
        headers, rows = timeline.rows(timelines)
        started = len(outcome.arrivals.started(progress))
        of = f", {len(timelines)} of {started} measured" if len(timelines) < started else ""
        title = f"Start-up of {timelines[0].pod}" if started == 1 else f"Start-up of {started} pods"
        lines += ["", f"{title}{of}", *table(headers, rows).splitlines()]
        lines += timeline.footnotes(timelines)
    if service is not None and progress.desired:
        port = service["spec"]["ports"][0]["port"]
        here = port if port >= FIRST_UNPRIVILEGED_PORT else DEFAULT_PORT
        lines += [
            "",
            f"In the cluster:  {address(service)}",
            f"From here:       kubectl port-forward -n {namespace} service/{name} {here}:{port}",
        ]
    return lines


def failure(name: str, namespace: str, outcome: Outcome, timeout: float) -> NotReady:
    """What was waited for, how long, and what every pod that is not ready waits for."""
    progress = outcome.progress
    told = _waited(outcome, timeout)
    head = f"deployment {name} in namespace {namespace} {told}: "
    return NotReady(
        "\n".join([head + _count(progress.ready, progress.desired), *_lines(progress)]),
        hint=f"what was applied stays; follow it with `kubectl wasmai status {name} -n {namespace}`"
        f", remove it with `kubectl wasmai delete {name} -n {namespace}`",
    )


def _waited(outcome: Outcome, timeout: float) -> str:
    if outcome.progress.hopeless:
        return f"will not become ready (seen after {duration(outcome.seconds)})"
    return f"was not ready after {duration(outcome.seconds)}" if timeout else "is not ready"


def _count(ready: int, desired: int) -> str:
    return f"{ready} of {desired} pods ready"


def _lines(progress: Progress) -> list[str]:
    shown = [f"  {line}" for line in progress.lines[:_LINES_SHOWN]]
    left = len(progress.lines) - len(shown)
    return [*shown, *([f"  and {left} more like these"] if left > 0 else [])]
