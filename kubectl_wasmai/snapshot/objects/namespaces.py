"""Namespaces and what is limited or granted in them."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Object


class Namespace(Object, frozen=True):
    """Its labels hold the level of Pod Security."""


class ServiceAccount(Object, frozen=True):
    """Only that it exists matters."""


class QuotaStatus(Base, frozen=True):
    hard: dict[str, str | int | float] | None = None
    used: dict[str, str | int | float] | None = None


class ResourceQuota(Object, frozen=True):
    status: QuotaStatus = QuotaStatus()


class Limit(Base, frozen=True):
    """What one kind of thing (``Container``, ``Pod``) may ask for, and what it gets unasked."""

    type: str = ""
    min: dict[str, str | int | float] | None = None
    max: dict[str, str | int | float] | None = None
    default: dict[str, str | int | float] | None = None
    default_request: dict[str, str | int | float] | None = None
    max_limit_request_ratio: dict[str, str | int | float] | None = None


class LimitRangeSpec(Base, frozen=True):
    limits: list[Limit] | None = None


class LimitRange(Object, frozen=True):
    spec: LimitRangeSpec = LimitRangeSpec()
