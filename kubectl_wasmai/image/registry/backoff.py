"""Trying again: how often, after how long, and after what."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

TRIES = 6
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone at the next try."""

Sleep = Callable[[float], None]


class Backoff:
    """Counts failures in a row; each wait is twice as long, give or take a quarter."""

    def __init__(self, sleep: Sleep = time.sleep, tries: int = TRIES) -> None:
        self._sleep = sleep
        self._tries = tries
        self.failures = 0

    def wait(self, asked: str | None = None) -> bool:
        """After a failure: False when it was the last try, else True after a while.

        ``asked`` is a Retry-After header; seconds count, dates are not worth reading.
        """
        self.failures += 1
        if self.failures >= self._tries:
            return False
        seconds = FIRST_SECONDS * 2 ** (self.failures - 1)
        if asked and asked.strip().isdigit():
            seconds = max(seconds, float(asked))
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        self._sleep(min(seconds * jitter, LONGEST_SECONDS))
        return True

    def succeeded(self) -> None:
        """Something went forward: count from the beginning."""
        self.failures = 0
