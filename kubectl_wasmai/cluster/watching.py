"""Watches that outlive closed connections, expired versions and a restarting API server."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import urllib3

from kubectl_wasmai.cluster import statuses
from kubectl_wasmai.cluster.listing import read_list
from kubectl_wasmai.cluster.transport import RETRIED, Transport
from kubectl_wasmai.errors import ClusterUnreachable, Gone
from kubectl_wasmai.jsonlist import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.resources import Resource

_ONE_WATCH_SECONDS = 240.0
_PATIENCE_SECONDS = 30.0  # of silence from the API server before we say that it is gone
_PAUSE_SECONDS = 0.25

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class WatchEvent:
    """One change. ``object`` is the whole object; for DELETED as it last was."""

    type: EventType
    object: dict[str, Any]


class _Line(msgspec.Struct):
    type: str
    object: Any = None


_lines = msgspec.json.Decoder(_Line)


class Watch:
    """One ``Cluster.watch``. Remembers what it told, to tell only differences after a relist."""

    def __init__(
        self,
        transport: Transport,
        resource: Resource,
        namespace: str | None,
        query: list[tuple[str, str]],
        timeout: float,
    ) -> None:
        self._transport = transport
        self._resource = resource
        self._path = resource.path(namespace)
        self._query = query
        self._deadline = time.monotonic() + timeout
        self._known: dict[str, dict[str, Any]] = {}
        self._version = ""

    def events(self, resource_version: str) -> Iterator[WatchEvent]:
        """Until the time is over. Without ``resource_version``: ADDED for all that is there."""
        self._version = resource_version
        begun = bool(resource_version)
        lost_at: float | None = None
        while self._left() > 0:
            try:
                if not self._version:
                    yield from self._relist()
                    begun = True
                began = time.monotonic()
                for event in self._one_watch():
                    lost_at = None
                    yield event
                lost_at = None
                if time.monotonic() - began < _PAUSE_SECONDS:
                    self._pause()  # a proxy that closes at once must not make us hammer it
            except Gone:
                self._version = ""
                self._pause()
            except ClusterUnreachable:
                now = time.monotonic()
                lost_at = lost_at or now
                if now >= self._deadline:
                    return
                if not begun or now - lost_at > _PATIENCE_SECONDS:
                    raise
                self._pause()

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _pause(self) -> None:
        time.sleep(max(min(_PAUSE_SECONDS, self._left()), 0))

    def _relist(self) -> Iterator[WatchEvent]:
        # A read from the server's cache is enough, and the watch goes on from there.
        found = read_list(self._transport, self._path, Typed(dict[str, Any]), self._query, 500)
        current = {_key(object_): object_ for object_ in found.items}
        for key in [key for key in self._known if key not in current]:
            yield WatchEvent("DELETED", self._known.pop(key))
        for key, object_ in current.items():
            # In a list only the list itself says what its items are.
            object_.setdefault("apiVersion", self._resource.api_version)
            object_.setdefault("kind", self._resource.kind)
            before = self._known.get(key)
            self._known[key] = object_
            if before is None:
                yield WatchEvent("ADDED", object_)
            elif _version(before) != _version(object_):
                yield WatchEvent("MODIFIED", object_)
        self._version = found.resource_version

    def _one_watch(self) -> Iterator[WatchEvent]:
        """Events of one connection. Raises Gone when the version is too old."""
        seconds = max(min(self._left(), _ONE_WATCH_SECONDS), 0.05)
        query = [
            *self._query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version),
            ("timeoutSeconds", str(max(int(seconds), 1))),
        ]
        answer = self._transport.open(
            "GET", self._path, query=query, read_timeout=seconds, compress=False
        )
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            error = self._transport.error(answer, f"GET {self._path} (watch)")
            if answer.status in RETRIED:
                raise ClusterUnreachable(str(error), getattr(error, "hint", "")) from error
            raise error
        try:
            for line in self._read_lines(answer):
                event = self._understand(line)
                if event is not None:
                    yield event
                if self._left() <= 0:
                    return
        finally:
            answer.close()  # the server may have more to say: this connection is not to be reused

    def _read_lines(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        """Whole lines; a torn last line is dropped, the next watch brings its event again."""
        rest = b""
        try:
            for piece in answer.stream(1 << 16):
                self._transport.stats.add(received=len(piece))
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line for line in whole if line.strip())
        except (urllib3.exceptions.HTTPError, OSError):
            return  # cut off: what came whole has been told, the next watch goes on from there

    def _understand(self, line: bytes) -> WatchEvent | None:
        try:
            event = _lines.decode(line)
        except msgspec.DecodeError as error:
            raise ClusterUnreachable(
                f"{self._transport.target.place} sent a watch event that is not JSON: {error}"
            ) from error
        if event.type == "ERROR":
            raise self._error(event.object)
        if not isinstance(event.object, dict):
            return None
        self._version = _version(event.object) or self._version
        if event.type == "DELETED":
            self._known.pop(_key(event.object), None)
            return WatchEvent("DELETED", event.object)
        if event.type == "BOOKMARK":  # only its version matters
            return None
        self._known[_key(event.object)] = event.object
        return WatchEvent("ADDED" if event.type == "ADDED" else "MODIFIED", event.object)

    def _error(self, thing: Any) -> Exception:
        try:
            status = msgspec.convert(thing, statuses.Status)
        except msgspec.ValidationError as error:
            return ClusterUnreachable(f"a watch ended with an error nobody can read: {error}")
        return statuses.from_status(status, place=self._transport.target.place)


def _key(object_: dict[str, Any]) -> str:
    """An object made anew under the same name is another one."""
    metadata = object_.get("metadata", {})
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}/{metadata.get('uid', '')}"


def _version(object_: dict[str, Any]) -> str:
    return str(object_.get("metadata", {}).get("resourceVersion", ""))
