"""Faults that the lab really produces, to be diagnosed and recorded.

One module per family; each offers ``FAULTS``. ``lab/lab fault --list`` shows them all.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from .model import Expected, Fault

__all__ = ["Expected", "Fault", "all_faults"]


@lru_cache(maxsize=1)
def all_faults() -> dict[str, Fault]:
    """Every fault of every family module of this package, by name."""
    modules = sorted(info.name for info in pkgutil.iter_modules(__path__))
    families = (importlib.import_module(f"{__name__}.{name}") for name in modules)
    faults = [fault for family in families for fault in getattr(family, "FAULTS", ())]
    return {fault.name: fault for fault in faults}
