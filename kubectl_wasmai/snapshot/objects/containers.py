"""Containers as a pod template describes them: command, ports, probes, resources."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base


class KeyRef(Base, frozen=True):
    name: str | None = None
    key: str | None = None
    optional: bool | None = None


class EnvVarSource(Base, frozen=True):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(Base, frozen=True):
    name: str = ""
    value: str | None = None
    value_from: EnvVarSource | None = None


class ContainerPort(Base, frozen=True):
    container_port: int = 0
    host_port: int | None = None
    name: str | None = None
    protocol: str | None = None


class HTTPGetAction(Base, frozen=True):
    path: str | None = None
    port: int | str = 0


class TCPSocketAction(Base, frozen=True):
    port: int | str = 0


class ExecAction(Base, frozen=True):
    command: list[str] | None = None


class Probe(Base, frozen=True):
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    timeout_seconds: int | None = None
    failure_threshold: int | None = None


class LifecycleHandler(Base, frozen=True):
    exec: ExecAction | None = None


class Lifecycle(Base, frozen=True):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None


class ResourceRequirements(Base, frozen=True):
    requests: dict[str, str | int | float] | None = None
    limits: dict[str, str | int | float] | None = None


class VolumeMount(Base, frozen=True):
    name: str = ""
    mount_path: str = ""


class Capabilities(Base, frozen=True):
    add: list[str] | None = None
    drop: list[str] | None = None


class SeccompProfile(Base, frozen=True):
    type: str | None = None


class SecurityContext(Base, frozen=True):
    """Of a pod or a container; each has some of the fields."""

    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: SeccompProfile | None = None


class Container(Base, frozen=True):
    name: str = ""
    image: str = ""
    image_pull_policy: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    ports: list[ContainerPort] | None = None
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: list[VolumeMount] | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
