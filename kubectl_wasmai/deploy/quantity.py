"""Kubernetes quantities (``100m``, ``64Mi``, ``1e3``), only as far as comparing them needs.

The API server is the judge of what a quantity is; this reads the same grammar so that requests
above limits are refused before anything is created, in the user's own words.
"""

from __future__ import annotations

import re
from decimal import Decimal

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SHAPE = re.compile(
    r"(?P<number>\+?(?:\d+\.?\d*|\.\d+))"
    r"(?:[eE](?P<exponent>[+-]?\d{1,2})|(?P<suffix>[KMGTPE]i|[numkMGTPE])?)"
)


def is_quantity(text: str) -> bool:
    """Whether it can be a quantity; negative ones exist, but not for resources."""
    return _SHAPE.fullmatch(text) is not None


def parse_quantity(text: str) -> Decimal:
    """The value in base units (cores, bytes, pieces). Raises ``ValueError`` for anything else."""
    match = _SHAPE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a quantity")
    number = Decimal(match["number"])
    if match["exponent"]:
        return number * Decimal(10) ** int(match["exponent"])
    suffix = match["suffix"] or ""
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    return number * Decimal(10) ** _DECIMAL[suffix]
