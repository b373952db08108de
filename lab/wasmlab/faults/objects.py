"""Objects as people write them, right in all but what a fault changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Object

HELLO = "localhost/wasmai-lab/hello:1"
BUSYBOX = "localhost/wasmai-lab/busybox:1"
COMPAT_SMART = {"module.wasm.image/variant": "compat-smart"}
LIMITS = {
    "requests": {"cpu": "20m", "memory": "32Mi"},
    "limits": {"cpu": "500m", "memory": "128Mi"},
}


def container(name: str = "server", image: str = HELLO, **more: Any) -> Object:
    """An HTTP server on 8080 with a readiness probe and limits."""
    return {
        "name": name,
        "image": image,
        "ports": [{"containerPort": 8080, "name": "http"}],
        "resources": LIMITS,
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 2},
        **more,
    }


def pod_spec(*containers: Object, runtime_class: str | None = "wasm", **more: Any) -> Object:
    """A pod of RuntimeClass ``wasm`` (``None``: the node's default) that stops at once."""
    class_ = {"runtimeClassName": runtime_class} if runtime_class else {}
    stop = {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
    return {"containers": list(containers) or [container()], **class_, **stop, **more}


def deployment(
    spec: Object | None = None,
    *,
    name: str = "web",
    replicas: int = 1,
    annotations: dict[str, str] | None = None,
    **metadata: Any,
) -> Object:
    """A Deployment whose pods carry crun's annotation unless ``annotations`` says otherwise."""
    template = {
        "metadata": {
            "labels": {"app": name},
            "annotations": COMPAT_SMART if annotations is None else annotations,
        },
        "spec": spec or pod_spec(),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }


def linux(name: str, *command: str, image: str = BUSYBOX, **spec: Any) -> Object:
    """A workload of another team: no WebAssembly, no GPU."""
    words = ["/bin/busybox", *command] if command else ["/bin/busybox", "sleep", "1000000"]
    main = {"name": name, "image": image, "command": words}
    return deployment(pod_spec(main, runtime_class=None, **spec), name=name, annotations={})


def service(
    name: str = "web", port: int = 8080, target: int | str = 8080, **selector: str
) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": selector or {"app": name},
            "ports": [{"port": port, "targetPort": target}],
        },
    }


def runtime_class(name: str, handler: str, **more: Any) -> Object:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": name},
        "handler": handler,
        **more,
    }
