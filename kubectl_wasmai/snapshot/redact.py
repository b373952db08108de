"""Takes secrets out of whatever leaves this machine or reaches a report.

Two doors: :func:`redact_text` for free text (event messages, log lines, arguments), and
:class:`Redactor` for whole Kubernetes objects, which also drops what only repeats the object
(``managedFields``, ``last-applied-configuration``). Both are idempotent: redacting a saved
snapshot again changes nothing, so a replayed report equals the live one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.snapshot.secret_names import is_harmless_value, is_secret_name
from kubectl_wasmai.snapshot.secret_texts import MASK, redact_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MASK", "Redactor", "redact_text"]

DROPPED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "objectset.rio.cattle.io/applied",
        "kapp.k14s.io/original",
        "banzaicloud.com/last-applied",
    }
)
"""Annotations that repeat the whole object, one of them compressed."""

_LABELS = frozenset({"labels", "matchLabels", "nodeSelector", "selector"})
_SEALED = frozenset({"Secret", "ConfigMap", "SecretList", "ConfigMapList"})
_DATA = frozenset({"data", "stringData", "binaryData"})
_IDENTITY = frozenset({"uid", "resourceVersion", "creationTimestamp", "apiVersion", "kind"})
_LONG = 512
"""Characters: longer texts are hardly ever the same twice, and not worth remembering."""


def redact_text(text: str) -> str:
    """The text without tokens, passwords, keys and certificates."""
    return redact_secrets(text) if len(text) > _LONG else _remembered(text)


_remembered = lru_cache(maxsize=1 << 16)(redact_secrets)


class Redactor:
    """Redacts the objects of one snapshot.

    Labels and selectors with a secret's name get a number for each value, so that what selected
    what still does. ``message`` does something more to redacted messages of events and statuses.
    """

    def __init__(self, message: Callable[[str], str] = str) -> None:
        self._numbers: dict[str, str] = {}
        self._message = message

    def object(self, value: Any) -> Any:
        """A copy of decoded JSON with every text redacted and every secret-named value masked.

        The data of Secrets and ConfigMaps is masked whole, should somebody have put such objects
        among the files: this tool never asks a cluster for them.
        """
        if isinstance(value, str):
            return redact_text(value)
        if isinstance(value, dict):
            return self._mapping(value)
        return self._list(value) if isinstance(value, list) else value

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("kind") in _SEALED:
            return _sealed(self._members(value))
        name, key = value.get("name"), value.get("key")
        if isinstance(name, str) and isinstance(value.get("value"), str):
            return {**self._members(value), "value": _named(name, value["value"])}
        if isinstance(key, str) and is_secret_name(key) and ("value" in value or "values" in value):
            return self._term(value)
        return self._members(value)

    def _members(self, value: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, inner in value.items():
            if key == "managedFields":
                continue
            if key == "annotations" and isinstance(inner, dict):
                kept = {k: v for k, v in inner.items() if k not in DROPPED}
                out[key] = {k: self._annotation(k, v) for k, v in kept.items()}
            elif key in _LABELS and _is_flat(inner):
                out[key] = {k: self._label(k, v) for k, v in inner.items()}
            elif key in _IDENTITY and isinstance(inner, str):
                out[key] = inner
            elif key == "message" and isinstance(inner, str):
                out[key] = self._message(redact_text(inner))
            elif isinstance(inner, str):
                out[key] = _field(key, inner)
            else:
                out[key] = self.object(inner)
        return out

    def _list(self, values: list[Any]) -> list[Any]:
        """A flag that names a secret masks the argument after it."""
        out: list[Any] = []
        before: Any = None
        for value in values:
            flagged = isinstance(value, str) and isinstance(before, str) and before[:1] == "-"
            out.append(_argument(before, value) if flagged else self.object(value))
            before = value
        return out

    def _annotation(self, name: str, value: Any) -> Any:
        return _named(name, value) if isinstance(value, str) else self.object(value)

    def _label(self, name: str, value: str) -> str:
        if value.startswith("<redacted-"):
            self._numbers.setdefault(value, value)
            return value
        secret = is_secret_name(name) and not is_harmless_value(name, value)
        return self._number(value) if secret else redact_text(value)

    def _number(self, value: str) -> str:
        return self._numbers.setdefault(value, f"<redacted-{len(self._numbers) + 1}>")

    def _term(self, value: dict[str, Any]) -> dict[str, Any]:
        """A taint, toleration or expression about a label with a secret's name."""
        key, out = value["key"], self._members(value)
        if isinstance(value.get("value"), str):
            out["value"] = self._label(key, value["value"])
        if isinstance(value.get("values"), list):
            out["values"] = [self._label(key, str(each)) for each in value["values"]]
        return out


def _is_flat(value: Any) -> bool:
    """Whether these are labels themselves: a workload's ``selector`` holds ``matchLabels``."""
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _sealed(value: dict[str, Any]) -> dict[str, Any]:
    """Masks the data of a Secret or ConfigMap, or of each in a list of them."""
    out = {
        key: dict.fromkeys(inner, MASK) if key in _DATA and isinstance(inner, dict) else inner
        for key, inner in value.items()
    }
    items = out.get("items")
    if isinstance(items, list):
        out["items"] = [_sealed(each) if isinstance(each, dict) else each for each in items]
    return out


def _named(name: str, value: str) -> str:
    """The value of a variable, header or annotation."""
    if is_secret_name(name) and not is_harmless_value(name, value):
        return MASK
    return redact_text(value)


def _field(name: str, value: str) -> str:
    """The value of any other member: ``key`` is a name there, and so is ``secretName``."""
    return redact_text(value) if name == "key" else _named(name, value)


def _argument(flag: str, value: str) -> str:
    if value[:1] != "-" and "=" not in flag:
        if is_secret_name(flag.lstrip("-")) and not is_harmless_value(flag, value):
            return MASK
        if flag in ("-u", "--user", "--proxy-user") and ":" in value:
            return MASK
    return redact_text(value)
