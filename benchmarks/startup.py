"""How long ``kubectl-wasmai --help`` takes, in terms of ``python -c "import click"``.

Run it with the Python of the environment that the plugin is installed in. Absolute times are of
a machine and a moment; the ratio is what to compare. Runs alternate, so load falls on both.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

FEWEST_RUNS = 15


def main() -> None:
    """Prints medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=31, help=f"at least {FEWEST_RUNS}")
    runs = max(parser.parse_args().runs, FEWEST_RUNS)
    plugin = str(Path(sys.executable).with_name("kubectl-wasmai"))
    commands = {
        'python -c "import click"': [sys.executable, "-c", "import click"],
        "kubectl-wasmai --help": [plugin, "--help"],
        "kubectl-wasmai version": [plugin, "version"],
    }
    medians = measured(commands, runs)
    base, *others = medians
    print(f"{base:<26} {medians[base] * 1000:6.1f} ms   (median of {runs}, interleaved)")
    for name in others:
        print(f"{name:<26} {medians[name] * 1000:6.1f} ms   {medians[name] / medians[base]:.2f} x")


def measured(commands: dict[str, list[str]], runs: int) -> dict[str, float]:
    """Median seconds of each command, after one run each to warm the disk's cache."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each[1:]) for name, each in seconds.items()}


if __name__ == "__main__":
    main()
