"""Counts the tests of each layer from pytest's JUnit files; the last line is for machines."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

LAYERS = ("unit", "packaging", "enginetests", "integration", "e2e")


def main(folder: Path, failed_gates: list[str]) -> int:
    """Prints a line a layer. A layer in which nothing passed has failed: nothing was shown."""
    passed_all = failed_all = 0
    for layer in LAYERS:
        passed, failed, skipped = counts(folder / f"{layer}.xml")
        broken = not failed and (layer in failed_gates or not passed)
        failed += broken
        note = "   (the layer itself failed, or nothing passed in it)" if broken else ""
        print(f"{layer:<12} {passed:>5} passed {failed:>4} failed {skipped:>4} skipped{note}")
        passed_all, failed_all = passed_all + passed, failed_all + failed
    for gate in (each for each in failed_gates if each not in LAYERS):
        print(f"{gate:<12} failed")
        failed_all += 1
    print(f"{passed_all} passed, {failed_all} failed")
    return 1 if failed_all else 0


def counts(report: Path) -> tuple[int, int, int]:
    """How many tests passed, failed (errors count) and were skipped."""
    if not report.is_file():
        return 0, 0, 0
    root = ET.parse(report).getroot()  # noqa: S314 - pytest wrote it a moment ago
    total, failed, skipped = 0, 0, 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
