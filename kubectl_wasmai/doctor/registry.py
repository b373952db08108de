"""Finds checks and detectors by walking the ``checks`` package: a new file needs no listing."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from kubectl_wasmai.doctor.model import Check, Detector


@lru_cache(maxsize=1)
def all_checks() -> tuple[Check, ...]:
    """Every ``CHECKS`` entry of every module of the package, in module order."""
    return tuple(check for module in _modules() for check in getattr(module, "CHECKS", ()))


@lru_cache(maxsize=1)
def all_detectors() -> tuple[Detector, ...]:
    """Every ``DETECTORS`` entry of every module of the package."""
    return tuple(each for module in _modules() for each in getattr(module, "DETECTORS", ()))


def _modules() -> Iterator[ModuleType]:
    package = importlib.import_module("kubectl_wasmai.checks")
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if not info.ispkg:
            yield importlib.import_module(f"{package.__name__}.{info.name}")
