"""Writes docs/checklist-items.md: the items of the four checklists and the checks behind them.

Run from the repository's root: ``python docs/tools/checklist_items.py``. A test holds that the
page is current.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.checklist import Checklist, shipped_checklists

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[1] / "checklist-items.md"
NUMBER = {"pre-deployment": 7, "runtime": 6, "performance": 5, "readiness": 4}
"""How many items each list had before anything was added: the first ones."""
ALSO = {
    "model-file-ready": ("memory-fits-model", "wasi-nn-settings-sound", "wasi-nn-plugin-fits"),
    "runtime-handler-available": (
        *("nodes-ready", "kubernetes-versions-fit", "container-runtimes-fit"),
        *("wasm-annotation-effective", "no-exec-in-wasm"),
    ),
    "gpu-device-plugin-ready": (
        *("gpu-operator-ready", "gpu-request-satisfiable", "gpu-driver-fits"),
        *("gpu-reaches-container", "gpu-memory-suffices"),
    ),
    "resource-limits-set": ("limit-range-allows", "quota-headroom", "memory-fits-model"),
    "storage-available": ("image-volumes-supported",),
    "pod-running": (
        *("images-available", "pod-security-allows", "disruption-allowed", "memory-suffices"),
        *("ports-agree", "probes-fit", "service-reaches-pods"),
    ),
    "gpu-in-use": ("gpu-healthy",),
    "metrics-collected": ("autoscaler-works",),
    "backup-and-restore": ("images-pinned",),
}
"""Further checks that serve an item, by the item's own."""
HEAD = """# The items of the four checklists

Written by `docs/tools/checklist_items.py`. Every item is a check the doctor runs; none is passed
over in silence. *Also*: what else can spoil the item, and is checked beyond the list.
"""
TAIL = """## What stays for a person

A check answers MANUAL, and says what to look at, where no object of the API can tell:

- `model-file-ready`: whether the file is complete. The API shows no files; names, sources and forms
  are checked, and a server that loads its model before it listens proves it by being ready.
- `alert-rules`: whether the rules of what can alert here watch the models.
- `backup-and-restore`: without a backup tool in sight, whether manifests, images and models can be
  had again.

Three items ask for a measurement (latency, cold start, GPU load). Without one the check is UNKNOWN
and says how to measure; what the cluster tells instead, such as the stages of a pod's start, is
shown as evidence under its own name.
"""


def page() -> str:
    checklists = shipped_checklists()
    _refuse_unassigned(checklists)
    return "\n".join([HEAD, *(_table(each) for each in checklists), TAIL])


def _refuse_unassigned(checklists: Iterable[Checklist]) -> None:
    """A check that was added to a list is to serve one of its items."""
    added = {i.check for each in checklists for i in each.items[NUMBER[each.name] :]}
    own = {i.check for each in checklists for i in each.items[: NUMBER[each.name]]}
    assigned = {check for checks in ALSO.values() for check in checks}
    if added != assigned or not ALSO.keys() <= own:
        raise AssertionError(f"ALSO must name each once or more: {sorted(added ^ assigned)}")


def _table(checklist: Checklist) -> str:
    lines = [f"## {checklist.title}", "", "| # | item | check | also |", "|---|---|---|---|"]
    for number, item in enumerate(checklist.items[: NUMBER[checklist.name]], 1):
        also = ", ".join(map(_link, ALSO.get(item.check, ())))
        check = _link(item.check) if item.check else "by hand"
        lines.append(f"| {number} | {item.text} | {check} | {also} |")
    return "\n".join([*lines, ""])


def _link(check: str) -> str:
    return f"[`{check}`](../runbooks/{check}.md)"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
