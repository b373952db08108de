"""Services, and the APIs that are served from inside the cluster."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Condition, Object


class ServicePort(Base, frozen=True):
    name: str | None = None
    port: int = 0
    target_port: int | str | None = None


class ServiceSpec(Base, frozen=True):
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    type: str | None = None


class Service(Object, frozen=True):
    spec: ServiceSpec = ServiceSpec()


class ApiServiceStatus(Base, frozen=True):
    conditions: list[Condition] | None = None


class APIService(Object, frozen=True):
    status: ApiServiceStatus = ApiServiceStatus()
