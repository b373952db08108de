"""Wall time and peak memory of programs, run side by side in one sitting."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Program:
    """A command, what it is called in the table, and what its runs took."""

    name: str
    command: list[str]
    runs: int = 1
    exit_codes: tuple[int, ...] = (0,)
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    remark: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(programs: list[Program], environment: dict[str, str], timeout: float) -> None:
    """Rounds of one run of each that still has some left, so that load falls on all."""
    for number in range(max(program.runs for program in programs)):
        for program in programs:
            if number < program.runs and not program.remark:
                _run(program, environment, timeout)


def _run(program: Program, environment: dict[str, str], timeout: float) -> None:
    """Peak memory is that of the largest process, as wait4(2) tells it."""
    started = time.perf_counter()
    with subprocess.Popen(
        program.command, env=environment, stdin=subprocess.DEVNULL,
        # Some peers leave files where they are started.
        cwd=environment["HOME"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        deadline = threading.Timer(timeout, process.kill)
        deadline.start()
        _, status, usage = os.wait4(process.pid, 0)
        deadline.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    program.seconds.append(time.perf_counter() - started)
    program.megabytes = max(program.megabytes, usage.ru_maxrss / 1024)
    if process.returncode not in program.exit_codes:
        ended = f"exit code {process.returncode}"
        program.remark = f"killed after {timeout:.0f} s" if process.returncode == -9 else ended  # noqa: PLR2004 - SIGKILL


def table(programs: list[Program]) -> str:
    """The first program is the floor that the others are compared with."""
    floor = programs[0].median
    lines = [f"{'':<46}{'seconds':>9}{'x floor':>9}{'MB':>7}"]
    for program in programs:
        ratio = program.median / floor
        lines.append(
            f"{program.name:<46}{program.median:>9.2f}{ratio:>9.2f}{program.megabytes:>7.0f}"
            f"  {program.remark}".rstrip()
        )
    return "\n".join(lines)
