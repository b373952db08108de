"""The lab's one error.

A lab fails for reasons of the machine it runs on, so every error carries what was tried and
what happened (message) and what a person does next (hint).
"""

from __future__ import annotations


class LabError(Exception):
    """Something the lab cannot do; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message
