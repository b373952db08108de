"""What is known about the lab that is up: one JSON file in its state folder.

Written before anything else exists and again after every start, so that `down` finds
everything even when `up` was killed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import LabError
from .namespaces import start_time
from .paths import state_dir

FILE = "lab.json"


@dataclass
class LabState:
    """The shape and the processes of a lab; PIDs are the host's."""

    directory: str
    nodes: int = 1
    containerd: int = 1
    registry: bool = False
    ready: bool = False
    port: int = 0  # on the host's 127.0.0.1, for the API server
    pid: int = 0  # process 1 of the lab's namespaces
    node_pids: dict[str, int] = field(default_factory=dict)
    # By name: PID and the time it started, which tells it from a later process of that number.
    processes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The state folder."""
        return Path(self.directory)

    @property
    def logs(self) -> Path:
        """Where every component's output goes."""
        return self.path / "logs"

    @property
    def kubeconfig(self) -> Path:
        """For people and tools on the host."""
        return self.path / "kubeconfig"

    @property
    def inner_kubeconfig(self) -> Path:
        """For programs in the lab's network namespace."""
        return self.path / "kubeconfig-inside"

    def record(self, name: str, pid: int) -> None:
        """Remember a process, at once on disk."""
        started = start_time(pid)
        if started is not None:
            self.processes[name] = (pid, started)
        self.save()

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name still runs."""
        pid, started = self.processes[name]
        return start_time(pid) == started

    def save(self) -> None:
        """Write it whole or not at all."""
        temporary = self.path / f"{FILE}.new"
        temporary.write_text(json.dumps(asdict(self), indent=1))
        temporary.rename(self.path / FILE)


def load() -> LabState | None:
    """The lab of this state folder; None when there is none."""
    path = state_dir() / FILE
    try:
        fields = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise LabError(f"cannot read {path}", "the lab belongs to root: use sudo") from error
    fields["processes"] = {name: tuple(pair) for name, pair in fields["processes"].items()}
    return LabState(**fields)


def require_up() -> LabState:
    """The lab that is up, or an error that says how to start it."""
    state = load()
    if state is None or not state.ready or not state.is_alive("namespaces"):
        raise LabError("the lab is not up", "start it with `lab/lab up`")
    return state
