"""Facts of a case that several checks and detectors ask for: each is worked out once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_wasmai.doctor.model import Case

T = TypeVar("T")


def once_per_case(function: Callable[[Case], T]) -> Callable[[Case], T]:
    """``function`` must be pure and its answer immutable; it lives as long as the case does."""
    known: WeakKeyDictionary[Case, T] = WeakKeyDictionary()

    @wraps(function)
    def answer(case: Case) -> T:
        if case not in known:
            known[case] = function(case)
        return known[case]

    return answer
