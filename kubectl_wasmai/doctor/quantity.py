"""Kubernetes quantities as numbers, for comparing what is asked with what there is."""

from __future__ import annotations

import re

_SHAPE = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?")
_UNITS = {
    "": 1.0,
    **{unit + "i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)},
    **{unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)},
    **{unit: 1000.0**-power for power, unit in enumerate("mun", 1)},
}


def whole(text: str | None) -> int | None:
    """A port, a count, a label's number; ``None`` for words, and for more digits than any has."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def amount(value: str | float) -> float:
    """``500m`` is 0.5, ``1Ki`` is 1024; what is no quantity counts as nothing."""
    match = _SHAPE.fullmatch(str(value))
    if match is None:
        return 0.0
    try:
        return float(match[1]) * _UNITS[match[2] or ""]
    except ValueError:
        return 0.0
