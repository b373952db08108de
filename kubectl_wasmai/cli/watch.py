"""``doctor --watch``: looks again and again, and says what is new."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.errors import ApiError, ClusterUnreachable
from kubectl_wasmai.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from kubectl_wasmai.doctor import Report


def watch(
    look: Callable[[], Report],
    show: Callable[[Report], None],
    *,
    interval: float,
    redraw: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Until Ctrl-C, a round every ``interval`` seconds after the one before has ended.

    ``redraw``: the screen always shows the latest report. Otherwise a report is printed, under
    its time, only where the verdict or the root causes have changed. A round that fails is told
    on stderr and the next one tries again; only the first must succeed.
    """
    told: object = None
    while True:
        try:
            report = look()
        except (ApiError, ClusterUnreachable) as error:
            if told is None:
                raise
            click.echo(f"{_now()}: {harmless(error.message)}", err=True)
        else:
            news = essence(report)
            if redraw:
                click.clear()
                click.echo(f"{_now()}, every {interval:g} s; Ctrl-C ends\n")
                show(report)
            elif news != told:
                click.echo(f"--- {_now()}")
                show(report)
            told = news
        sleep(interval)


def essence(report: Report) -> tuple[object, ...]:
    """What makes a report news: its verdict and whom it blames, not times and counts."""
    return (
        report.summary.verdict,
        *((each.cause, each.certainty, each.subject) for each in report.diagnoses),
    )


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
