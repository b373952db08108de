"""The device plugin as a service of the node, as EKS and AKS have it: no pod of it exists."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasmlab import state
from wasmlab.build import ensure_device_plugin
from wasmlab.errors import LabError

from . import on_node
from .model import Step

if TYPE_CHECKING:
    from wasmlab.client import Lab

    from .model import Object

PROGRAM = "/usr/local/bin/device-plugin"
SETTINGS = "/etc/device-plugin.json"
PATIENCE = 30.0


def hosted(*resources: Object, strategies: str = "envvar", node: str = on_node.NODE) -> Step:
    """Started before the pods, and seen by the scheduler."""

    def do(lab: Lab, _: str) -> None:
        write(node, PROGRAM, ensure_device_plugin().read_bytes())
        _settle(node, resources)
        start = f"DEVICE_LIST_STRATEGY={strategies} setsid {PROGRAM} --settings {SETTINGS}"
        on_node.shell(lab, f"{start} >>/tmp/device-plugin.log 2>&1 &", node=node)
        for each in resources:
            usable = each["devices"] - each.get("unhealthy", 0)
            seen(lab, each["name"], each["devices"], usable, node)

    return Step(do, lambda lab, _: on_node.signal(lab, "device-plugin", "TERM", node))


def settled(*resources: Object, node: str = on_node.NODE) -> Step:
    """What the running plugin finds now."""

    def do(lab: Lab, _: str) -> None:
        _settle(node, resources)
        for each in resources:
            usable = each["devices"] - each.get("unhealthy", 0)
            seen(lab, each["name"], each["devices"], usable, node)

    return Step(do)


def ended(*names: str, node: str = on_node.NODE) -> Step:
    """The plugin dies, and with it what it offered under ``names``."""

    def do(lab: Lab, _: str) -> None:
        on_node.signal(lab, "device-plugin", "KILL", node)
        for name in names:
            seen(lab, name, None, 0, node)

    return Step(do)


def seen(
    lab: Lab, name: str, capacity: int | None, allocatable: int, node: str = on_node.NODE
) -> None:
    """Wait until the node says so; ``None`` for any capacity."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = json.loads(lab.kubectl("get", "node", node, "-o", "json").stdout)["status"]
        has, gives = status["capacity"].get(name), status["allocatable"].get(name)
        if gives == str(allocatable) and capacity in (None, int(has or 0)):
            return
        time.sleep(0.5)
    raise LabError(f"{node} does not offer {allocatable} {name}: {has}, {gives}")


def _settle(node: str, resources: tuple[Object, ...]) -> None:
    write(node, SETTINGS, json.dumps({"resources": resources}).encode())


def write(node: str, path: str, content: bytes) -> None:
    """A program that runs cannot be written over, but replaced."""
    target = Path(f"/proc/{state.require_up().node_pids[node]}/root{path}")
    fresh = target.with_name(f"{target.name}.new")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.rename(target)
