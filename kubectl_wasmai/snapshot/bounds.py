"""How much of a stranger's files is read at all."""

from __future__ import annotations

from kubectl_wasmai.errors import InputError

MAX_MEMBER = 1024 * 1024 * 1024
"""Bytes of one file: the pods of 30,000-pod clusters take about 300 MB."""
MAX_TOTAL = 2 * MAX_MEMBER
MAX_MEMBERS = 20_000
SUFFIXES = (".json", ".yaml", ".yml", ".log", ".prom")


def may_hold_objects(name: str) -> bool:
    """By its file's name; ``._pods.json`` is what macOS leaves beside ``pods.json``."""
    return name.endswith(SUFFIXES) and not name.startswith("._")


class Budget:
    """Counts members and bytes, and refuses before they are read."""

    def __init__(self, name: str) -> None:
        self._name, self._bytes, self._members = name, 0, 0

    def spend(self, member: str, size: int) -> None:
        """Raises ``InputError`` where ``size`` bytes more are too many."""
        self._bytes += size
        self._members += 1
        if size > MAX_MEMBER or self._bytes > MAX_TOTAL or self._members > MAX_MEMBERS:
            raise InputError(
                f"{self._name} is too large: {member!r} brings it over {MAX_MEMBER >> 20} MiB a "
                f"file, {MAX_TOTAL >> 20} MiB or {MAX_MEMBERS} files",
                "save a snapshot of fewer namespaces with -n",
            )


def refuse_binary(name: str, content: bytes) -> None:
    """Raises ``InputError`` for what is no text at all: zeros, a picture, a zip file.

    UTF-16, which PowerShell writes, has zeros too, but after its mark.
    """
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            f"{name} is no text",
            "a snapshot holds Kubernetes objects as JSON or YAML, plain or as .tar.gz",
        )
