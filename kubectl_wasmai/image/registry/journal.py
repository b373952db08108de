"""What is worth knowing at the next push: uploads that broke off, and where blobs are already.

A small file in the user's state folder (XDG). Losing it costs time, never correctness.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

MOST = 500
"""Entries of each kind; the oldest are forgotten."""
MOST_REPOSITORIES = 3
_SEPARATOR = " "


def state_file() -> Path:
    """Where the journal is kept."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base).absolute() / "kubectl-wasmai" / "transfers.json"


class Journal:
    """Read once, written after each change; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._uploads: dict[str, str] = {}
        self._places: dict[str, list[str]] = {}
        if path:
            self._read(path)

    def location(self, repository: str, digest: str) -> str:
        """Where an upload that broke off goes on, or nothing."""
        return self._uploads.get(_key(repository, digest), "")

    def note(self, repository: str, digest: str, location: str) -> None:
        """An upload goes on there."""
        self._uploads.pop(_key(repository, digest), None)
        self._uploads[_key(repository, digest)] = location
        self._write()

    def forget(self, repository: str, digest: str) -> None:
        """An upload is complete."""
        if self._uploads.pop(_key(repository, digest), None):
            self._write()

    def repositories(self, registry: str, digest: str) -> list[str]:
        """Repositories of a registry that have a blob, the latest first."""
        return self._places.get(_key(registry, digest), [])[::-1]

    def keep(self, registry: str, repository: str, digest: str) -> None:
        """That repository has the blob."""
        key = _key(registry, digest)
        others = [each for each in self._places.pop(key, []) if each != repository]
        self._places[key] = [*others, repository][-MOST_REPOSITORIES:]
        self._write()

    def _read(self, path: Path) -> None:
        try:
            document = json.loads(path.read_bytes())
            self._uploads = {str(k): str(v) for k, v in document["uploads"].items()}
            self._places = {str(k): [str(e) for e in v] for k, v in document["places"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Missing, or damaged: what it knew is found out again.
            self._uploads, self._places = {}, {}

    def _write(self) -> None:
        if self._path is None:
            return
        document = {"uploads": _latest(self._uploads), "places": _latest(self._places)}
        new = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # An upload's location may be as good as a permission to write there.
            new.touch(mode=0o600)
            new.write_text(json.dumps(document), "utf-8")
            new.replace(self._path)
        except OSError:
            new.unlink(missing_ok=True)


def _key(place: str, digest: str) -> str:
    return f"{place}{_SEPARATOR}{digest}"


def _latest(entries: dict[str, Any]) -> dict[str, Any]:
    return dict(list(entries.items())[-MOST:])
