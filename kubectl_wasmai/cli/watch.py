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

    from kubectl_wasmai.cli.screen import Screen
    from kubectl_wasmai.doctor import Report


def watch(
    look: Callable[[], Report],
    show: Callable[[Report], str],
    *,
    interval: float,
    screen: Screen | None = None,
    heading: Callable[[str], str],
    sleep: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Until Ctrl-C, a round every ``interval`` seconds after the one before has ended.

    With a ``screen`` it always shows the latest report, which stays on the terminal when all is
    over. Otherwise a report is printed, under its heading, only where the verdict or the root
    causes have changed. A round that fails is told and the next one tries again; only the first
    must succeed.
    """
    if screen is None:
        _tell_news(look, show, heading, lambda: sleep(interval))
    try:
        with screen:
            _redraw(look, show, screen, interval, sleep)
    finally:
        click.echo(screen.drawn, nl=False)


def _tell_news(
    look: Callable[[], Report],
    show: Callable[[Report], str],
    heading: Callable[[str], str],
    wait: Callable[[], None],
) -> NoReturn:
    told: object = None
    while True:
        try:
            report = look()
        except (ApiError, ClusterUnreachable) as error:
            if told is None:
                raise
            click.echo(f"{_now()}: {harmless(error.message)}", err=True)
        else:
            if essence(report) != told:
                click.echo(heading(_now()) + show(report), nl=False)
                told = essence(report)
        wait()


def _redraw(
    look: Callable[[], Report],
    show: Callable[[Report], str],
    screen: Screen,
    interval: float,
    sleep: Callable[[float], None],
) -> NoReturn:
    report: Report | None = None
    while True:
        trouble = ""
        try:
            report = look()
        except (ApiError, ClusterUnreachable) as error:
            if report is None:
                raise
            trouble = f"{harmless(error.message)}; what was seen before:\n"
        title = f"{_now()}, every {interval:g} s; Ctrl-C ends\n{trouble}\n"
        screen.draw(title + show(report))
        sleep(interval)


def essence(report: Report) -> tuple[object, ...]:
    """What makes a report news: its verdict and whom it blames, not times and counts."""
    return (
        report.summary.verdict,
        *((each.cause, each.certainty, each.subject) for each in report.diagnoses),
    )


def heading(form: str) -> Callable[[str], str]:
    """What stands before each report of a stream: nothing that a reader of the form trips over."""
    headings = {"json": lambda _: "", "yaml": lambda _: "---\n"}
    return headings.get(form, lambda now: f"--- {now}\n")


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
