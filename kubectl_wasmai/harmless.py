"""Texts of strangers on their way to a terminal, or into a file that people open.

Names and messages come from a cluster or a file. Control characters steer terminals, and
characters that turn the direction of writing make a name look like another one.
"""

from __future__ import annotations

import re

_BEYOND_ASCII = re.compile(r"[\x7f-\uffff]")


def harmless(text: str) -> str:
    """One line that holds nothing but what can be seen."""
    return _seen(text.strip())


def harmless_lines(text: str) -> str:
    """Every line harmless; their breaks and indentation stay."""
    return "\n".join(_seen(line.rstrip()) for line in text.split("\n"))


def _seen(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def escaped(document: str) -> str:
    r"""A JSON document that shows what its strings hold, such as ``\u202e``, instead of doing it.

    For YAML, too, where strings that hold such characters stand between double quotes.
    """
    return _BEYOND_ASCII.sub(
        lambda match: match[0] if match[0].isprintable() else f"\\u{ord(match[0]):04x}", document
    )
