"""What `lab status` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .state import LabState


def report(state: LabState | None) -> tuple[str, bool]:
    """The lab in lines, and whether all of it runs."""
    if state is None:
        return "the lab is not up", False
    healthy = state.ready
    lines = [
        f"kubeconfig   {state.kubeconfig}",
        f"API server   https://127.0.0.1:{state.port}",
        f"nodes        {', '.join(state.node_pids)}; containerd {state.containerd}.x",
        f"registry     {'yes' if state.registry else 'no'}",
    ]
    for name, (pid, _) in state.processes.items():
        alive = state.is_alive(name)
        healthy = healthy and alive
        lines.append(f"{name:24} {'running' if alive else 'ENDED'} (PID {pid})")
    if not state.ready:
        lines.append("`lab up` has not finished")
    return "\n".join(lines), healthy
