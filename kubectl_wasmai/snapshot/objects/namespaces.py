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
