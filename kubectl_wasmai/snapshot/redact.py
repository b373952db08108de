"""Takes secrets out of whatever leaves this machine or reaches a report.

Two doors: :func:`redact_text` for free text (event messages, log lines, arguments), and
:func:`redact_object` for whole Kubernetes objects, which also drops what only repeats the
object (``managedFields``, ``last-applied-configuration``). Both are idempotent: redacting a
saved snapshot again changes nothing, so a replayed report equals the live one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MASK = "<redacted>"
SHORT, REMEMBERED = 512, 4096
"""Characters of a text, and number of texts whose redaction is remembered: the pods of one
template say the same a thousand times."""

_SECRET_WORD = r"(?:pass(?:wo?r?d|phrase)?|pwd|secret|token(?!s)|api[-_.]?key|access[-_.]?key|private[-_.]?key|credentials?|authorization|cookie|session|dsn|connection[-_.]?string)"  # noqa: E501,S105
_SECRET_NAME = re.compile(
    rf"(?i)(?:^|[-_./a-z0-9]){_SECRET_WORD}(?:$|[-_./s])|^{_SECRET_WORD}$|[-_.]key$|^key$"
)

_TEXT_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # PEM blocks, on one line or many.
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), MASK),
    # user:password@ in URLs.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+@"), rf"\1{MASK}@"),
    # Authorization headers and bare bearer tokens.
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!<redacted>)[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    # JSON Web Tokens.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), MASK),
    # Well-known key shapes: AWS, GitHub, GitLab, Slack, Hugging Face, OpenAI, Google.
    (
        re.compile(
            r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            r"|xox[abprs]-[\w-]{10,}|hf_\w{20,}|sk-[\w-]{16,}|AIza[\w-]{30,})"
        ),
        MASK,
    ),
    # name=value and "name": "value" where the name says it is a secret.
    (
        re.compile(
            rf"(?i)([\w.-]*{_SECRET_WORD}[\w.-]*[\"']?(?:\s+is)?\s*(?:[:=]|\s=>)\s*)"
            r"(?!<redacted>)(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}]+)"
        ),
        rf"\1{MASK}",
    ),
    # --password VALUE, as one argument string.
    (
        re.compile(rf"(?i)(--?[\w-]*{_SECRET_WORD}[\w-]*\s+)(?!<redacted>)([^\s-][^\s]*)"),
        rf"\1{MASK}",
    ),
)

_DROPPED_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)


def redact_text(text: str) -> str:
    """The text without tokens, passwords, keys and certificates."""
    return _short_text(text) if len(text) <= SHORT else _without_secrets(text)


def _without_secrets(text: str) -> str:
    for pattern, replacement in _TEXT_RULES:
        text = pattern.sub(replacement, text)
    return text


_short_text = lru_cache(REMEMBERED)(_without_secrets)


@lru_cache(REMEMBERED)
def is_secret_name(name: str) -> bool:
    """Whether a variable, annotation or flag of this name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def redact_object(value: Any) -> Any:
    """A copy of decoded JSON with every string redacted and every secret-named value masked.

    ``data`` and ``stringData`` of Secrets and ConfigMaps are masked whole, should somebody have
    put such objects among the files: this tool never asks a cluster for them.
    """
    if isinstance(value, dict) and value.get("kind") in ("Secret", "ConfigMap"):
        value = {
            key: dict.fromkeys(inner, MASK)
            if key in ("data", "stringData", "binaryData") and isinstance(inner, dict)
            else inner
            for key, inner in value.items()
        }
    return _walk(value)


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return _walk_list(value)
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            return _env_variable(value)
        return {key: _member(key, inner) for key, inner in value.items() if key != "managedFields"}
    return value


def _walk_list(values: list[Any]) -> list[Any]:
    """A flag that names a secret masks the argument after it."""
    out: list[Any] = []
    for position, value in enumerate(values):
        before = values[position - 1] if position else None
        if isinstance(value, str) and isinstance(before, str) and _is_secret_flag(before):
            out.append(MASK)
        else:
            out.append(_walk(value))
    return out


def _is_secret_flag(argument: str) -> bool:
    return argument.startswith("-") and "=" not in argument and is_secret_name(argument.lstrip("-"))


def _env_variable(variable: dict[str, Any]) -> dict[str, Any]:
    if is_secret_name(variable["name"]) and variable["value"]:
        return {**variable, "value": MASK}
    return {**variable, "value": redact_text(variable["value"])}


def _member(key: str, value: Any) -> Any:
    if key == "annotations" and isinstance(value, dict):
        return {
            name: MASK if is_secret_name(name) else _walk(inner)
            for name, inner in value.items()
            if name not in _DROPPED_ANNOTATIONS
        }
    return _walk(value)
