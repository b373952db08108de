"""Finds secrets in free text: log lines, event messages, arguments, whole configuration files.

Two kinds of rules: shapes that are secrets wherever they stand (keys of well-known services,
certificates' private halves, user and password in a URL), and values behind a name that says so.
All of them are linear in the text's length: a log line of a stranger must not stop the doctor.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from kubectl_wasmai.snapshot.secret_names import (
    SECRET_WORD,
    is_harmless_value,
    is_secret_name,
    speaks_about,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "<redacted>"
MAX_ROUNDS = 8
"""What is left may look like a secret only then; with eight rounds nothing has been seen to."""
_NUMBERED = re.compile(r"<redacted-\d+>")

_HINTS = re.compile(
    r"(?i)pass|pwd|secret|token|key|cred|auth|cookie|session|dsn|connection|jwt|bearer|basic"
    r"|sig|://|-----|hooks\.|-u |--user|<redacted-|[a-z0-9+/_-]{16}|\d:aa"
)
"""What every rule below needs at least: most texts have none of it."""

_SHAPES = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?<!-)eyJ[\w-]{8,4096}\.[\w-]{8,8192}(?:\.[\w-]{0,4096})?"  # JSON Web Token
    r"|(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}"  # AWS
    r"|gh[pousr]_\w{20,255}|github_pat_\w{20,255}|gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w.-]{16,255}"
    r"|xox[abeprs]-[\w-]{10,255}|xapp-[\w-]{10,255}"  # Slack
    r"|hf_\w{20,255}|api_org_\w{20,255}|nvapi-[\w-]{20,255}|r8_\w{20,255}|gsk_\w{20,255}"
    r"|(?<!-)sk-(?=[\w-]{0,255}\d)[\w-]{20,255}|[sr]k_(?:live|test)_\w{10,255}|whsec_\w{10,255}"
    r"|AIza[\w-]{30,255}|ya29\.[\w-]{20,2048}|GOCSPX-[\w-]{20,255}"  # Google
    r"|npm_\w{30,255}|pypi-[\w-]{50,1024}|dckr_pat_[\w-]{20,255}|do[opr]_v1_[a-f0-9]{40,255}"
    r"|dapi[a-f0-9]{32}|hv[sbr]\.[\w-]{20,255}|SG\.[\w-]{16,255}\.[\w-]{16,255}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{50,255}|\d{8,10}:AA[\w-]{30,255}"
    r")"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{1,60}-----.*?(?:-----END [A-Z0-9 ]{1,60}-----|\Z)", re.DOTALL
)
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{1,60}-----")
_PEM_LINE = re.compile(r"(?:^|[\s\"'|:])[A-Za-z0-9+/]{16,76}={0,2}\s*$")
_URL_USER = re.compile(r"(?<=://)(?:[^\s/@:<\"']{0,256}:[^\s/@\"']{1,256}|[^\s/@:<\"']{16,256})@")
_QUERY = re.compile(
    r"(?i)([?&;](?:sig|code|key|auth|[\w-]{0,40}signature|x-amz-credential)=)(?!<redacted>)[^&\s\"'<]+"
)
_SCHEME = re.compile(
    r"(?i)\b(bearer|basic)[ \t]+(?!<redacted>)"
    r"(?=[\w.~+/=-]{0,512}[0-9A-Z=_.+/~])(?-i:(?![a-z]+(?![\w.~+/=-])))[\w.~+/=-]{8,8192}"
)
_WEBHOOK = re.compile(
    r"(?i)(hooks\.slack\.com/\w+/|discord(?:app)?\.com/api/webhooks/)[\w/-]{8,255}"
)
_LOGIN = re.compile(
    r"(?<![\w-])(-u|--user|--proxy-user)([ =]['\"]?)[^\s:'\"<]{1,128}:[^\s'\"]{1,256}"
)
_TAG = re.compile(
    rf"(?i)(<[\w.:-]{{0,64}}{SECRET_WORD}[\w.:-]{{0,64}}>)(?!<redacted>)[^<]{{1,4096}}(?=</)"
)
_OPAQUE = re.compile(
    r"(?<![A-Za-z0-9+/_.-])"
    r"(?=[a-z0-9+/]{0,80}[A-Z])(?=[A-Z0-9+/]{0,80}[a-z])(?=[A-Za-z+/]{0,80}\d)"
    r"[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9_@-]|[.:]\w)"
)
_BASE64 = re.compile(r"(?<![\w+/-])(?=[a-z0-9+/_-]{0,64}[A-Z])[\w+/-]{16,}={0,2}(?![\w+/-])")

_NAMED = re.compile(
    rf"(?i){SECRET_WORD}(?P<suffix>[\w.-]{{0,64}})(?P<close>[\\\"'\])]{{0,8}})"
    r"(?P<sep>[ \t]{0,8}(?:[ \t]is)?[ \t]{0,8}(?::=|=>|==?|:(?!//))[ \t]{0,8}"
    r"|[ \t]{1,8}is[ \t]{1,8})"
)
_VARIABLE = re.compile(r"(?<![A-Za-z0-9_])((?:[A-Z0-9_]{0,64}_)?KEY)(=)")
_QUOTED_AUTH = re.compile(r"(?i)([\"']auth)(\\*[\"'][ \t]{0,8}:[ \t]{0,8})(?=\\*[\"'])")
_FLAG = re.compile(r"(?<![\w-])(--?[A-Za-z][\w.-]{0,80})(?P<sep>[ \t]{1,8}|=)(?![-\s])")

_OPENING = re.compile(r"\\*[\"'`]")
_BARE = re.compile(r"(?![{\[(])(?:[^\s,;&\"'}\])|<>\\]|\\(?![nrt\"'\\]))+")
_BLOCK = re.compile(r"[|>][+-]?[ \t]*\n(?:[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+")
_LINE = re.compile(r"[^\r\n\"'`]+")
_REFERENCE = re.compile(r"[\\\"']*(?:\$\(\w+\)|\$\{[^}\s]*\}|\{\{)")
_PROSE = re.compile(r"[a-z]{1,20}[ \t]+\S")
_PLAIN_WORD = re.compile(r"[a-z]{1,20}(?![\w-])")


def redact_secrets(text: str, depth: int = 0) -> str:
    """The text without tokens, passwords, keys and certificates; twice changes nothing more."""
    for _ in range(MAX_ROUNDS if _HINTS.search(text) else 0):
        clean = _round(text, depth)
        if clean == text:
            break
        text = clean
    return text


def _round(text: str, depth: int) -> str:
    text = _NUMBERED.sub(MASK, text)
    text = _PEM.sub(MASK, text)
    text = _without_beheaded(text) if "-----END " in text else text
    text = _URL_USER.sub(f"{MASK}@", text)
    text = _SHAPES.sub(MASK, text)
    text = _QUERY.sub(rf"\1{MASK}", text)
    text = _WEBHOOK.sub(rf"\1{MASK}", text)
    text = _LOGIN.sub(rf"\1\2{MASK}", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _TAG.sub(lambda match: match[1] + MASK, text)
    text = _values(text, _NAMED, _named_value)
    text = _values(text, _VARIABLE, _any_value)
    text = _values(text, _QUOTED_AUTH, _any_value)
    text = _values(text, _FLAG, _flag_value)
    text = _BASE64.sub(lambda match: _encoded(match[0], depth), text)
    return _OPAQUE.sub(lambda match: _opaque(match[0]), text)


def _without_beheaded(text: str) -> str:
    """A log that is read from its end may begin in the middle of a key."""
    kept: list[str] = []
    for line in text.split("\n"):
        ends = _PEM_END.search(line) is not None
        while ends and kept and _PEM_LINE.search(kept[-1]):
            kept.pop()
        kept.append(_PEM_END.sub(MASK, line) if ends else line)
    return "\n".join(kept)


_Value = tuple[int, int] | None
"""From where to where in the text a secret stands."""


def _values(text: str, names: re.Pattern[str], find: Callable[[str, re.Match[str]], _Value]) -> str:
    """Masks what stands behind each name; goes on behind it."""
    parts, done, position = [], 0, 0
    while match := names.search(text, position):
        value = find(text, match)
        position = match.end()
        if value is not None:
            parts += [text[done : value[0]], MASK]
            done = position = value[1]
    return "".join([*parts, text[done:]]) if parts else text


def _named_value(text: str, match: re.Match[str]) -> _Value:
    name = match["password"] or match["soft"]
    if speaks_about(match["suffix"]):
        return None
    separator = match["sep"].strip()
    if name.lower() in ("authorization", "cookie"):
        line = _LINE.match(text, match.end())
        found = line.span() if line and not line[0].startswith("<redacted") else None
    else:
        found = _value(text, match.end())
    if found is None or is_harmless_value(name, text[found[0] : found[1]]):
        return None
    if separator == "is":
        return None if _PLAIN_WORD.match(text, found[0]) else found
    told = match["soft"] and separator == ":" and match["sep"] != ":"
    return None if told and _PROSE.match(text, found[0]) else found


def _any_value(text: str, match: re.Match[str]) -> _Value:
    found = _value(text, match.end())
    return None if found and is_harmless_value(match[1], text[found[0] : found[1]]) else found


def _flag_value(text: str, match: re.Match[str]) -> _Value:
    return _any_value(text, match) if is_secret_name(match[1].lstrip("-")) else None


def _value(text: str, start: int) -> _Value:
    """What begins at ``start``: quoted (perhaps escaped, as in JSON within JSON), a block of
    YAML, or a word. ``None`` where it is masked already, or nothing is there."""
    if text.startswith("<redacted", start) or _REFERENCE.match(text, start):
        return None
    if opening := _OPENING.match(text, start):
        inner = opening.end()
        if text.startswith("<redacted", inner):
            return None
        end = _closing(text, inner, opening[0])
        return (inner, end) if end > inner else None
    found = _BLOCK.match(text, start) or _BARE.match(text, start)
    return found.span() if found else None


def _closing(text: str, start: int, opening: str) -> int:
    """Where the quotation ends: at the same quote behind as many backslashes; else at the line's
    end, since a log line may have been cut."""
    quote, slashes = opening[-1], len(opening) - 1
    position = start
    while (position := text.find(quote, position)) >= 0:
        before = position
        while before > start and text[before - 1] == "\\":
            before -= 1
        if position - before == slashes:
            return before
        position += 1
    line = text.find("\n", start)
    return line if line >= 0 else len(text)


def _encoded(word: str, depth: int) -> str:
    """Masks what holds a secret once it is decoded; gzip hides whole files."""
    padded = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return word
    if content.startswith(b"\x1f\x8b\x08"):
        return MASK
    try:
        plain = content.decode()
    except UnicodeDecodeError:
        return word
    if depth > 2 or (not plain.isprintable() and not plain.replace("\n", "").isprintable()):  # noqa: PLR2004
        return word
    return word if redact_secrets(plain, depth + 1) == plain else MASK


def _opaque(word: str) -> str:
    """Random words of 40 and more letters and digits are keys; a path has more slashes."""
    return word if word.count("/") * 12 > len(word) else MASK
