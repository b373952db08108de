"""Writes docs/causes.md: every root cause, how it is found and what proves that it is.

Run from the repository's root: ``python docs/tools/causes.py``. A test holds that the page is
current; a new recording changes it, too.
"""

from __future__ import annotations

import json
from pathlib import Path

from kubectl_wasmai.doctor.causes import Cause, causes
from kubectl_wasmai.doctor.model import Certainty
from kubectl_wasmai.doctor.registry import all_detectors
from kubectl_wasmai.doctor.signatures import shipped_signatures

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "causes.md"
GALLERY = ROOT / "tests" / "gallery"
HEAD = """# Root causes

Written by `docs/tools/causes.py`. The ids are public: never renamed, only added to.

*On*: the kind of the object that a diagnosis names; "workload" is the outermost owner of the pods
(Deployment, DaemonSet, Job, …). *Found by*: a detector reads the objects themselves, often before
anything failed; a signature is a text in an event, a status or a log. *Proved by*: recordings of
clusters in `tests/gallery`, of how many faults and at how many moments, replayed by every test
run; one of them is named. GPUs and their programs are played there
([how](../tests/gallery/README.md)). *Page*: what `kubectl wasmai explain` shows.
"""
PROBE = """
## What the API alone cannot decide

These give the same text or state as another cause. They are named as `possible`, beside the other,
and one look at the node decides; the page says at what.
"""


def page() -> str:
    recorded = _recordings()
    lines = [HEAD]
    for title, group in _families().items():
        lines += [f"## {title}", "", "| cause | on | found by | proved by | page |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(id_, cause, recorded.get(id_, {})) for id_, cause in group.items()]
        lines.append("")
    undecided = [id_ for id_ in causes() if _only_possible(id_)]
    lines += [PROBE.strip(), ""]
    lines += [f"- `{id_}`: {causes()[id_].title}" for id_ in undecided]
    return "\n".join(lines) + "\n"


def _families() -> dict[str, dict[str, Cause]]:
    """By page, in the order in which a pod's life meets them; the page's title is the heading."""
    families: dict[str, dict[str, Cause]] = {}
    for id_, cause in causes().items():
        text = (ROOT / "runbooks" / f"{cause.runbook}.md").read_text("utf-8")
        families.setdefault(text.partition("\n")[0].removeprefix("# "), {})[id_] = cause
    return families


def _row(id_: str, cause: Cause, recorded: dict[str, int]) -> str:
    ways = [*(["detector"] if id_ in _detected() else []), *(["signature"] if _signed(id_) else [])]
    first = min(recorded, key=lambda name: (len(name), name), default="")
    moments = sum(recorded.values())
    proofs = f"{len(recorded)} faults, {moments} moments: {first}" if recorded else ""
    link = f"[{cause.runbook}](../runbooks/{cause.runbook}.md)"
    cells = [f"`{id_}`", cause.subject or "workload", " and ".join(ways), proofs or "-", link]
    return f"| {' | '.join(cells)} |"


def _detected() -> set[str]:
    return {cause for detector in all_detectors() for cause in detector.causes}


def _signed(id_: str) -> list[Certainty]:
    """How sure the texts are that name the cause; one that names another may also mean it."""
    own = [each.certainty for each in shipped_signatures() if each.cause == id_]
    return own + [Certainty.POSSIBLE for each in shipped_signatures() if id_ in each.also]


def _only_possible(id_: str) -> bool:
    return id_ not in _detected() and {*_signed(id_)} == {Certainty.POSSIBLE}


def _recordings() -> dict[str, dict[str, int]]:
    """By cause: the recorded faults that have it, and at how many moments each was recorded."""
    found: dict[str, dict[str, int]] = {}
    for path in sorted(GALLERY.glob("*/expected.json")):
        for diagnosis in json.loads(path.read_text("utf-8"))["diagnoses"]:
            moments = len([*path.parent.glob("*.tar.gz")])
            found.setdefault(diagnosis["cause"], {})[path.parent.name] = moments
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
