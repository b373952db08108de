"""The Deployment and the Service of a request. Pure: same request and handler, same objects.

Every field we care about is written out and nothing is left to a later default that could
differ between API servers: with server-side apply, what we write is what we own, and a second run
that writes the same changes nothing.
"""

from __future__ import annotations

from typing import Any

from kubectl_wasmai.deploy.request import DeployRequest, effective_resources
from kubectl_wasmai.wasm import (
    COMPAT_SMART,
    SHIM_HANDLERS,
    VARIANT_ANNOTATION,
    needs_annotation,
)

NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "kubectl-wasmai"
MANAGED_SELECTOR = f"{MANAGED_BY_LABEL}={MANAGER}"

CONTAINER = "module"
"""One name for the one container: applying another image then changes it instead of adding one."""

PORT_NAME = "http"

GRACE_SECONDS = 10
"""A module cannot catch SIGTERM, and as process 1 it is not ended by it: it serves on until
SIGKILL. So this is the time requests under way get after the endpoint is gone, no more."""

FIRST_UNPRIVILEGED_PORT = 1024

Manifest = dict[str, Any]


def build(request: DeployRequest, handler: str | None) -> list[Manifest]:
    """Deployment and Service. ``handler`` is the RuntimeClass's, ``None`` when not known."""
    return [_deployment(request, handler), _service(request)]


def selector(name: str) -> dict[str, str]:
    """Labels that find the pods. A Deployment's selector can never change: neither may these."""
    return {INSTANCE_LABEL: name, MANAGED_BY_LABEL: MANAGER}


def wants_annotation(handler: str | None) -> bool:
    """Whether to select Wasm by annotation: always, unless the handler surely runs nothing else.

    Runtimes that do not know the annotation ignore it, and crun needs it, so an unknown handler
    gets it. Left out for shims and for ``crun-wasm``, where it would only mislead a reader.
    """
    if handler is None or needs_annotation(handler):
        return True
    return not handler.startswith(("crun-", *SHIM_HANDLERS))


def _metadata(request: DeployRequest) -> Manifest:
    labels = {**request.labels, NAME_LABEL: request.name, **selector(request.name)}
    metadata: Manifest = {"name": request.name, "labels": labels}
    if request.namespace is not None:
        metadata["namespace"] = request.namespace
    return metadata


def _deployment(request: DeployRequest, handler: str | None) -> Manifest:
    annotations = dict(request.annotations)
    if wants_annotation(handler):
        annotations.setdefault(VARIANT_ANNOTATION, COMPAT_SMART)
    metadata = _metadata(request)
    pod_metadata: Manifest = {"labels": dict(metadata["labels"])}
    if annotations:
        pod_metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1 if request.replicas is None else request.replicas,
            "selector": {"matchLabels": selector(request.name)},
            "template": {"metadata": pod_metadata, "spec": _pod_spec(request)},
        },
    }


def _service(request: DeployRequest) -> Manifest:
    port = {
        "name": PORT_NAME,
        "port": request.port,
        "protocol": "TCP",
        "targetPort": PORT_NAME,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(request),
        "spec": {"selector": selector(request.name), "ports": [port]},
    }


def _pod_spec(request: DeployRequest) -> Manifest:
    return {
        "runtimeClassName": request.runtime_class,
        # A module has no use for API credentials or for the addresses of other Services in its
        # environment; both only widen what a faulty module can do.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": _pod_security(request),
        "containers": [_container(request)],
    }


def _pod_security(request: DeployRequest) -> Manifest:
    user = request.run_as_user
    context: Manifest = {
        "runAsUser": user,
        "runAsGroup": user,
        "runAsNonRoot": user != 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if request.port < FIRST_UNPRIVILEGED_PORT and user:
        # Without capabilities nobody but root may listen below 1024 unless the pod's own network
        # namespace says so; this sysctl is one of those every kubelet allows.
        context["sysctls"] = [
            {"name": "net.ipv4.ip_unprivileged_port_start", "value": str(request.port)}
        ]
    return context


def _container(request: DeployRequest) -> Manifest:
    requests, limits = effective_resources(request.requests, request.limits)
    env = {**request.env, "PORT": str(request.port)}
    container: Manifest = {
        "name": CONTAINER,
        "image": request.image,
        "ports": [{"name": PORT_NAME, "containerPort": request.port, "protocol": "TCP"}],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "resources": {"requests": requests, "limits": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        **_probes(request),
    }
    if request.args:
        container["args"] = list(request.args)
    if request.image_pull_policy:
        container["imagePullPolicy"] = request.image_pull_policy
    return container


def _probes(request: DeployRequest) -> Manifest:
    """HTTP only: a Wasm container has no shell to exec, and under crun an exec never returns."""
    ask = {"httpGet": {"path": request.health_path, "port": PORT_NAME, "scheme": "HTTP"}}
    return {
        # Asked every second so that readiness is seen soon; five minutes to load a model.
        "startupProbe": {
            **ask,
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 300,
        },
        # A replica that computes an answer cannot answer this: it gets no new requests meanwhile.
        "readinessProbe": {
            **ask,
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        # The module runs on one thread: silence for minutes may be work, so only a long one kills.
        "livenessProbe": {
            **ask,
            "periodSeconds": 30,
            "timeoutSeconds": 30,
            "failureThreshold": 6,
        },
    }
