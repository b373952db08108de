"""Produces faults on the lab, waits until each shows, and records it at several moments."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import TYPE_CHECKING

from wasmlab import state
from wasmlab.client import Lab
from wasmlab.errors import LabError
from wasmlab.progress import step

from . import record
from .forms import FORMS
from .model import Shape
from .objects import runtime_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from .model import Fault

MOMENTS = {"first": 0.0, "settled": 45.0, "late": 240.0}
"""Seconds after the fault first showed: people run a doctor at any time."""

PATIENCE = 150.0
BATCH = 8
"""Faults that leave the nodes alone are produced side by side."""

# Everything that lives in no namespace; the rest goes into the fault's own.
CLUSTER_SCOPED = (
    "RuntimeClass",
    "StorageClass",
    "PersistentVolume",
    "Namespace",
    "Node",
    "APIService",
    "CustomResourceDefinition",
    "DeviceClass",
    "ResourceSlice",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


def run_faults(
    faults: Sequence[Fault], folder: Path | None, moments: Sequence[str], *, keep: bool
) -> list[str]:
    """Names of the faults that did not show; what was made is removed unless ``keep``.

    Uses the lab that is up for those it fits, else starts the one that each fault needs.
    """
    failed: list[str] = []
    for shape in dict.fromkeys(fault.shape for fault in faults):
        wanted = [fault for fault in faults if fault.shape == shape]
        with _lab_of(shape, keep=keep) as lab:
            if lab is None:
                step(f"passed over, since the lab that is up has another shape: {len(wanted)}")
                failed += [fault.name for fault in wanted]
            else:
                failed += _run(lab, wanted, folder, moments, keep=keep)
    return failed


@contextlib.contextmanager
def _lab_of(shape: Shape, *, keep: bool) -> Iterator[Lab | None]:
    lab = Lab()
    running = state.load()
    if running is not None:
        there = Shape(running.nodes, running.containerd, running.registry)
        yield lab if there.serves(shape) else None
        return
    lab.command("up", *shape.options)
    try:
        yield lab
    finally:
        if not keep:
            lab.command("down")


def _run(
    lab: Lab, faults: Sequence[Fault], folder: Path | None, moments: Sequence[str], *, keep: bool
) -> list[str]:
    failed: list[str] = []
    together = [fault for fault in faults if not fault.exclusive]
    batches = [together[i : i + BATCH] for i in range(0, len(together), BATCH)]
    batches += [[fault] for fault in faults if fault.exclusive]
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(runtime_class("wasm", "crun")))
    for batch in batches:
        try:
            for fault in batch:
                produce(lab, fault)
            failed += _watch(lab, batch, folder, moments)
        finally:
            for fault in () if keep else batch:
                remove(lab, fault)
    return failed


def produce(lab: Lab, fault: Fault) -> None:
    """The fault's namespace and objects; a node is changed first."""
    step(f"producing {fault.name}")
    lab.kubectl("create", "namespace", fault.namespace, check=False)
    for each in fault.first:
        each.do(lab, fault.namespace)
    for item in fault.objects:
        metadata = dict(item.get("metadata", {}))
        if item["kind"] not in CLUSTER_SCOPED:
            metadata.setdefault("namespace", fault.namespace)
        text = json.dumps({**item, "metadata": metadata})
        lab.kubectl("apply", "-f", "-", stdin=text)
        if "status" in item:
            # Where somebody else's controller would write it.
            lab.kubectl("replace", "--subresource=status", "-f", "-", stdin=text)
    for each in fault.then:
        each.do(lab, fault.namespace)


def remove(lab: Lab, fault: Fault) -> None:
    """Everything ``produce`` made; the node as it was."""
    for item in reversed(fault.objects):
        if item["kind"] in CLUSTER_SCOPED or item["metadata"].get("namespace"):
            # The next fault may want a namespace of that name; nobody waits for the rest.
            wait = "true" if item["kind"] == "Namespace" else "false"
            options = ("--ignore-not-found", f"--wait={wait}", "--timeout=60s", "-f", "-")
            lab.kubectl("delete", *options, stdin=json.dumps(item), check=False)
    for each in reversed((*fault.first, *fault.then)):
        each.undo(lab, fault.namespace)
    lab.kubectl("delete", "namespace", fault.namespace, "--wait=false", check=False)


def _watch(
    lab: Lab, batch: Iterable[Fault], folder: Path | None, moments: Sequence[str]
) -> list[str]:
    """Records each fault of a batch at its moments; returns those that never showed."""
    started = time.monotonic()
    shown: dict[str, float] = {}
    todo = {f.name: [m for m in MOMENTS if m in (moments or f.moments)] for f in batch}
    waiting = list(batch)
    while waiting:
        for fault in tuple(waiting):
            if fault.name in shown and not _is_due(todo[fault.name], shown[fault.name]):
                continue
            members = _seen(lab, fault)
            now = time.monotonic()
            if fault.name not in shown:
                if not _shows(fault, members):
                    if now - started > PATIENCE:
                        step(f"{fault.name} did not show in {PATIENCE:.0f} s")
                        waiting.remove(fault)
                    continue
                shown[fault.name] = now
                step(f"{fault.name} shows after {now - started:.0f} s")
            while _is_due(todo[fault.name], shown[fault.name]):
                moment = todo[fault.name].pop(0)
                if folder:
                    _keep(lab, folder, fault, moment, members)
            if not todo[fault.name]:
                waiting.remove(fault)
        time.sleep(1)
    return [name for name in todo if name not in shown]


def _is_due(moments: Sequence[str], shown: float) -> bool:
    return bool(moments) and time.monotonic() - shown >= MOMENTS[moments[0]]


def _seen(lab: Lab, fault: Fault) -> dict[str, bytes]:
    spaces = (fault.namespace, "kube-system", *fault.namespaces)
    return record.files(lab, spaces, fault.kinds)


def _shows(fault: Fault, members: dict[str, bytes]) -> bool:
    texts = [content.decode("utf-8", "replace") for content in members.values()]
    patterns = (fault.shows,) if isinstance(fault.shows, str) else fault.shows
    return all(any(re.search(pattern, text) for text in texts) for pattern in patterns)


def _keep(lab: Lab, folder: Path, fault: Fault, moment: str, members: dict[str, bytes]) -> None:
    _write(folder / fault.name, fault, moment, members)
    for form in fault.forms:
        sent = FORMS[form](lab, members, fault.namespace)
        _write(folder / f"{fault.name}--as-{form}", fault, moment, sent)
    step(f"recorded {fault.name}/{moment}")


def _write(folder: Path, fault: Fault, moment: str, members: dict[str, bytes]) -> None:
    record.write(folder / f"{moment}.tar.gz", members)
    diagnoses = [
        {"cause": each.cause, "subject": each.subject(fault.namespace)} for each in fault.expected
    ]
    usual = 3 if diagnoses else 0
    code = usual if fault.exit_code is None else fault.exit_code
    document = {"exitCode": code, "diagnoses": diagnoses}
    (folder / "expected.json").write_text(json.dumps(document, indent=2) + "\n")


def chosen(faults: dict[str, Fault], names: Sequence[str]) -> list[Fault]:
    """The named faults, or all; raises ``LabError`` for a name that is none."""
    unknown = [name for name in names if name not in faults]
    if unknown:
        raise LabError(f"there is no fault {unknown[0]!r}", "lab/lab fault --list shows them")
    return [faults[name] for name in names] if names else list(faults.values())
