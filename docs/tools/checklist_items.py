"""Writes docs/checklist-items.md: the items of the four checklists and the checks behind them.

Run from the repository's root: ``python docs/tools/checklist_items.py``. A test holds that the
page is current.
"""

from __future__ import annotations

from pathlib import Path

from kubectl_wasmai.doctor.checklist import Checklist, shipped_checklists

PAGE = Path(__file__).parents[1] / "checklist-items.md"
NUMBER = {"pre-deployment": 7, "runtime": 6, "performance": 5, "readiness": 4}
"""How many items each list had before anything was added: the first ones."""
HEAD = """# The items of the four checklists

Written by `docs/tools/checklist_items.py`. Every item is a check the doctor runs, or is shown as
MANUAL with what to look at; none is passed over in silence. A check that only a measurement can
answer is UNKNOWN without one, and says how to measure.
"""


def page() -> str:
    return "\n".join([HEAD, *(_table(each) for each in shipped_checklists())])


def _table(checklist: Checklist) -> str:
    lines = [f"## {checklist.title}", "", "| # | item | check |", "|---|---|---|"]
    for number, item in enumerate(checklist.items, 1):
        of_list = number <= NUMBER[checklist.name]
        check = f"[`{item.check}`](../runbooks/{item.check}.md)" if item.check else "by hand"
        lines.append(f"| {number if of_list else '+'} | {item.text} | {check} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
