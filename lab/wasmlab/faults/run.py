"""Produces faults on the lab, waits until each shows, and records it at several moments."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from wasmlab.errors import LabError
from wasmlab.progress import step

from . import record
from .objects import runtime_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from wasmlab.client import Lab

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
    "DeviceClass",
    "ResourceSlice",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)


def run_faults(
    lab: Lab, faults: Sequence[Fault], folder: Path | None, moments: Sequence[str], *, keep: bool
) -> list[str]:
    """Names of the faults that did not show; what was made is removed unless ``keep``."""
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
    fault.before(lab)
    for each in fault.objects:
        metadata = dict(each.get("metadata", {}))
        if each["kind"] not in CLUSTER_SCOPED:
            metadata.setdefault("namespace", fault.namespace)
        lab.kubectl("apply", "-f", "-", stdin=json.dumps({**each, "metadata": metadata}))
    if fault.change:
        fault.change(lab, fault.namespace)


def remove(lab: Lab, fault: Fault) -> None:
    """Everything ``produce`` made; the node as it was."""
    for each in reversed(fault.objects):
        if each["kind"] in CLUSTER_SCOPED or each["metadata"].get("namespace"):
            options = ("--ignore-not-found", "--wait=false", "-f", "-")
            lab.kubectl("delete", *options, stdin=json.dumps(each), check=False)
    fault.after(lab)
    lab.kubectl("delete", "namespace", fault.namespace, "--wait=false", check=False)


def _watch(
    lab: Lab, batch: Iterable[Fault], folder: Path | None, moments: Sequence[str]
) -> list[str]:
    """Records each fault of a batch at its moments; returns those that never showed."""
    started = time.monotonic()
    shown: dict[str, float] = {}
    todo = {fault.name: [m for m in MOMENTS if m in moments] for fault in batch}
    waiting = list(batch)
    while waiting:
        for fault in tuple(waiting):
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
            while todo[fault.name] and now - shown[fault.name] >= MOMENTS[todo[fault.name][0]]:
                moment = todo[fault.name].pop(0)
                if folder:
                    _keep(folder / fault.name, fault, moment, members)
            if not todo[fault.name]:
                waiting.remove(fault)
        time.sleep(1)
    return [name for name in todo if name not in shown]


def _seen(lab: Lab, fault: Fault) -> dict[str, bytes]:
    return record.files(lab, (fault.namespace, "kube-system", *fault.namespaces))


def _shows(fault: Fault, members: dict[str, bytes]) -> bool:
    pattern = re.compile(fault.shows)
    return any(pattern.search(content.decode("utf-8", "replace")) for content in members.values())


def _keep(folder: Path, fault: Fault, moment: str, members: dict[str, bytes]) -> None:
    record.write(folder / f"{moment}.tar.gz", members)
    diagnoses = [
        {
            "cause": each.cause,
            "subject": {
                "kind": each.kind,
                "namespace": "" if each.cluster else each.namespace or fault.namespace,
                "name": each.name,
            },
        }
        for each in fault.expected
    ]
    document = {"exitCode": 3 if diagnoses else 0, "diagnoses": diagnoses}
    (folder / "expected.json").write_text(json.dumps(document, indent=2) + "\n")
    step(f"recorded {fault.name}/{moment}")


def chosen(faults: dict[str, Fault], names: Sequence[str]) -> list[Fault]:
    """The named faults, or all; raises ``LabError`` for a name that is none."""
    unknown = [name for name in names if name not in faults]
    if unknown:
        raise LabError(f"there is no fault {unknown[0]!r}", "lab/lab fault --list shows them")
    return [faults[name] for name in names] if names else list(faults.values())
