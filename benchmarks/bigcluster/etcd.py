"""etcd's JSON gateway: reads and writes stored values, many in one transaction."""

from __future__ import annotations

import base64
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_OPERATIONS = 100  # etcd's own limit is 128 for a transaction, and 1.5 MiB
MOST_BYTES = 1_000_000


class Etcd:
    """One etcd, asked over plain HTTP on the loopback device."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def get(self, key: str) -> bytes:
        """The stored value. Raises KeyError."""
        found = self._ask("/v3/kv/range", {"key": _encoded(key.encode())}).get("kvs")
        if not found:
            raise KeyError(key)
        return base64.b64decode(found[0]["value"])

    def put_all(self, pairs: Iterable[tuple[str, bytes]]) -> int:
        """Writes all, in transactions; returns how many."""
        waiting: list[dict[str, Any]] = []
        size = count = 0
        for key, value in pairs:
            put = {"key": _encoded(key.encode()), "value": _encoded(value)}
            waiting.append({"request_put": put})
            size += len(key) + len(value)
            count += 1
            if len(waiting) == MOST_OPERATIONS or size > MOST_BYTES:
                self._ask("/v3/kv/txn", {"success": waiting})
                waiting, size = [], 0
        if waiting:
            self._ask("/v3/kv/txn", {"success": waiting})
        return count

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"etcd answered {path} with {answer.status}: {text[:200]!r}")
        return dict(json.loads(text))


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()
