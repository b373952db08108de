"""A model, an engine and a runtime brought together, and what their start and answers took."""

from __future__ import annotations

import contextlib
import re
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import WasmaiError
from kubectl_wasmai.local.client import Client, Gone
from kubectl_wasmai.local.process import free_port, started
from kubectl_wasmai.local.runtimes import GUEST_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_wasmai.image.model import Model
    from kubectl_wasmai.local.process import Running
    from kubectl_wasmai.local.runtimes import Runtime

LOOPBACK = "127.0.0.1"
_MANY = 3
"""From so many requests on their spread says something."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    model: Model
    runtime: Runtime
    host: str = LOOPBACK
    port: int = 0
    """0: any that is free."""
    options: Sequence[str] = ()
    """Further options of the engine."""

    @property
    def name(self) -> str:
        """What the engine calls the model: letters, digits, and ``._-``."""
        return re.sub(r"[^A-Za-z0-9._-]", "-", self.model.name)

    def command(self, port: int) -> list[str]:
        """The command line of the engine's process."""
        file = self.model.files[0]
        words = ["--model", f"{self.name}={GUEST_FOLDER}/{file.name}", "--host", self.host]
        return self.runtime.command(file.path.parent, [*words, "--port", str(port), *self.options])


@dataclass
class Session:
    """A running engine that can be asked."""

    plan: Plan
    running: Running
    client: Client
    first_answer: float = 0.0
    """Seconds from the start of the process to the first answer."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of each request, the first among them."""

    @property
    def has_template(self) -> bool:
        """Whether a Llama model can chat, as the engine says."""
        return bool(self.running.events.get("model mapped", {}).get("chat_template"))

    def ask(self, path: str, body: bytes) -> str:
        """The engine's answer; its time is kept. Raises WasmaiError."""
        asked = time.monotonic()
        answer = self.client.ask(path, body)
        self.latencies.append(time.monotonic() - asked)
        self.first_answer = self.first_answer or time.monotonic() - self.running.began
        return answer

    def facts(self) -> list[tuple[str, str]]:
        """Start and latency, for people."""
        seen = self.running.seen
        execution = self.running.events.get("start", {}).get("execution", "?")
        facts = [("engine", f"{self.plan.runtime.name}, {execution}")]
        stages = (
            f"runtime {seen.get('start', 0.0):.3f} s, "
            f"model {seen['listening'] - seen.get('start', 0.0):.3f} s"
        )
        if self.first_answer:
            stages += f", answer {self.latencies[0]:.3f} s"
            facts.append(("cold start", f"{self.first_answer:.3f} s: {stages}"))
        else:
            facts.append(("cold start", f"{seen['listening']:.3f} s until it listens: {stages}"))
        if later := self.latencies[1:]:
            spread = f" ({min(later) * 1e3:.2f} to {max(later) * 1e3:.2f})"
            shown = f"{statistics.median(later) * 1e3:.2f} ms"
            more = f", the median of {len(later)}{spread}" if len(later) >= _MANY else ""
            facts.append(("latency", shown + more))
        return facts


@contextlib.contextmanager
def session(plan: Plan, pass_on: Callable[[str], None] | None = None) -> Iterator[Session]:
    """The engine, listening; it ends with the block. ``pass_on`` gets its log lines.

    Raises WasmaiError where it does not start, or ends while it is asked.
    """
    port = plan.port or free_port()
    try:
        with started(plan.command(port), pass_on) as running:
            try:
                yield Session(plan, running, Client(port))
            except Gone:
                raise running.failure() from None
    except WasmaiError as error:
        # The engine sees the model's folder under another name than people do.
        file = plan.model.files[0]
        text = error.message.replace(f"{GUEST_FOLDER}/{file.name}", str(file.path))
        raise type(error)(text, error.hint) from error
