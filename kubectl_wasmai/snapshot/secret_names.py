"""Which names say that their value is a secret, and which values are none in spite of the name."""

from __future__ import annotations

import re
from functools import lru_cache

_PASSWORD = r"pass(?:wo?r?d|phrase|code)|(?<![a-z])pwd|[_-]pass(?![a-z])|^pass$|(?<![\w-])pass(?==)"  # noqa: S105
_KEY = (
    r"(?:api|access|account|shared|encryption|signing|private|master|client|ssh|licen[sc]e|hmac"
    r"|aes|deploy|service|storage|app)[-_. ]?key"
)
_SOFT = (
    r"secret|token(?!s|iz)|credentials?|authorization|cookie|session(?![-_ ]?affinity)"
    rf"|(?<![a-z])dsn(?![a-z])|connection[-_.]?string|(?<![a-z])jwt(?![a-z])|{_KEY}"
)
SECRET_WORD = rf"(?:(?P<password>{_PASSWORD})|(?P<soft>{_SOFT}))"
"""After it a value is expected. After a ``soft`` word a sentence may follow as well."""

_NAME = re.compile(rf"(?i){SECRET_WORD}(?P<suffix>[\w./-]*)|(?:^|[-_./])key$|^auth$")
_ABOUT = re.compile(
    r"(?i)[-_.]?(?:file|path|dir|name|namespace|ref|mount|type|ttl|expir\w*|timeout|seconds|len"
    r"|length|count|limit|max|min|enabled|required|version|endpoint|header|template|mode|policy"
    r"|provider|present|exists|method|alias|affinity)s?$"
)
"""``password-file`` and ``tokenCount`` speak about a secret; their values are none."""

_NOT_A_SECRET = re.compile(
    r"(?i)|true|false|null|none|nil|yes|no|on|off|undefined|empty|unset|\*+|x{3,}|\.{3,}|…"
    r"|\$\(\w+\)|\$\{\w+\}|\$\w+|\{\{.*\}\}"
    r"|(?:/[a-z0-9._-]+){2,}/?"
)
"""Words for nothing, references to a variable, and paths."""

_SMALL_NUMBER = re.compile(r"\d{1,6}(?:\.\d+)?")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a variable, flag, annotation or label of this name is likely to hold a secret."""
    match = _NAME.search(name)
    return match is not None and not _ABOUT.search(name)


def is_harmless_value(name: str, value: str) -> bool:
    """Whether the value is none that needs hiding, although its name sounds so: a reference, a
    path, a switch, and after ``token`` or ``session`` a small number, since models count them."""
    if _NOT_A_SECRET.fullmatch(value):
        return True
    counted = re.search(r"(?i)token|session", name) is not None
    return counted and _SMALL_NUMBER.fullmatch(value) is not None


def speaks_about(suffix: str) -> bool:
    """Whether what stands behind a secret word turns it into a word about secrets."""
    return _ABOUT.search(suffix) is not None
