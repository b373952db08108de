"""The lab from outside, as tests and scripts use it: through its command line alone."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError
from .paths import LAB_DIR, kubernetes_bin
from .shell import tail_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Lab:
    """A lab by its environment: WASMAI_LAB_STATE chooses which; empty, the usual one."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def beside(self, state: Path) -> Lab:
        """Another lab, with that state folder; nothing is started."""
        return Lab({**self.environment, "WASMAI_LAB_STATE": str(state)})

    def command(self, *words: str, check: bool = True) -> Completed:
        """Run `lab/lab WORDS`; with `check` a failure raises LabError with what was said."""
        return self._call([str(LAB_DIR / "lab"), *words], check=check)

    def run(self, *words: str, check: bool = True) -> Completed:
        """Run a program in the lab's network."""
        return self.command("run", "--", *words, check=check)

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> Completed:
        """Run the lab's kubectl from the host, as a user does."""
        program = str(kubernetes_bin() / "kubectl")
        config = {"KUBECONFIG": str(self.kubeconfig)}
        return self._call([program, *words], stdin=stdin, more=config, check=check)

    @property
    def is_up(self) -> bool:
        """Whether all of it runs."""
        return self.command("status", check=False).returncode == 0

    @cached_property
    def kubeconfig(self) -> Path:
        """The path `lab kubeconfig` prints; LabError when the lab is not up."""
        return Path(self.command("kubeconfig").stdout.strip())

    def _call(
        self,
        words: list[str],
        *,
        check: bool,
        stdin: str = "",
        more: Mapping[str, str] | None = None,
    ) -> Completed:
        environment = {**os.environ, **self.environment, **(more or {})}
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, check=False, env=environment
        )
        if check and done.returncode != 0:
            said = tail_text(done.stdout + done.stderr)
            raise LabError(f"`{' '.join(words)}` ended with {done.returncode}:\n{said}")
        return done
