"""Two independent faults at once. The one that more pods suffer from is expected first."""

from __future__ import annotations

from typing import Any

from . import on_node
from .gpu_parts import (
    GPU,
    PLUGIN,
    PLUGIN_IMAGE,
    PROGRAM,
    asking,
    forgotten,
    labelled,
    settings,
    static_plugin,
)
from .handlers import WASMEDGE
from .hosted import hosted
from .images import actor, loaded
from .model import ALL, Expected, Fault, Object, Shape
from .module import controlled
from .objects import container, deployment, pod_spec, service
from .service import AUTOSCALER
from .workload import HOG, limited, shell_container

LAB = "localhost/wasmai-lab"
TRUNCATED = f"{LAB}/truncated:1"


def _pair(
    name: str,
    both: tuple[Expected, Expected],
    *objects: Object,
    shows: str | tuple[str, ...],
    **more: Any,
) -> Fault:
    return Fault(f"pair--{name}", both, objects, shows, **more)


def _chat(*containers: Object, **more: Any) -> Object:
    return deployment(pod_spec(*containers, **more), name="chat")


def _of(cause: str, name: str = "chat", kind: str = "Deployment", **more: Any) -> Expected:
    return Expected(cause, kind, name, **more)


INVALID = _chat(container(image=TRUNCATED))
CLAIM: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "fast-ssd",
    },
}
STORED = deployment(
    pod_spec(
        container(volumeMounts=[{"name": "models", "mountPath": "/models"}]),
        volumes=[{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}],
    ),
    replicas=3,
)
REFERRING = pod_spec(
    container(
        env=[{"name": "M", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "m"}}}]
    )
)

FAULTS = (
    _pair(
        "class-and-module",
        (Expected("runtimeclass-missing"), _of("wasm-module-invalid")),
        deployment(pod_spec(runtime_class="wasm-misspelt"), replicas=4),
        INVALID,
        shows=r"length out of bounds",
        moments=ALL,
        forms=("one-list",),
    ),
    _pair(
        "handler-and-image",
        (Expected("handler-not-configured"), _of("image-pull-failed")),
        *(WASMEDGE, deployment(pod_spec(runtime_class="wasmedge"), replicas=3)),
        _chat(container(image="192.0.2.10:5999/chat:1")),
        shows=r"ErrImagePull|ImagePullBackOff",
        forms=("namespace",),
    ),
    _pair(
        "claim-and-memory",
        (
            _of("storageclass-missing", "models", "PersistentVolumeClaim"),
            _of("memory-limit-too-low"),
        ),
        *(CLAIM, STORED),
        _chat(shell_container(HOG, resources=limited(memory="24Mi"))),
        shows=r"OOMKilled",
        moments=ALL,
    ),
    _pair(
        "annotation-and-service",
        (Expected("wasm-annotation-missing"), _of("service-selector-mismatch", "chat", "Service")),
        *(deployment(annotations={}, replicas=3), deployment(name="chat")),
        service("chat", app="chat-server"),
        shows=r"Exec format error",
        moments=ALL,
    ),
    _pair(
        "config-and-trap",
        (Expected("config-reference-missing"), _of("wasm-trap", "web", "StatefulSet")),
        deployment(REFERRING, replicas=3),
        controlled(
            "StatefulSet",
            pod_spec(container(image=f"{LAB}/ends:1", readinessProbe=None, ports=None)),
        ),
        shows=r"execution failed",
        moments=ALL,
        forms=("yaml",),
    ),
    _pair(
        "gpu-and-command",
        (Expected("gpu-resource-absent"), _of("wasm-entrypoint-is-cli")),
        asking(replicas=3),
        _chat(container(command=["wasmedge", "--dir", ".", "/hello.wasm"])),
        shows=(rf"Insufficient {GPU}", r"executable file `wasmedge` not found"),
        moments=ALL,
    ),
    _pair(
        "taken-gpu-and-volume",
        (Expected("gpu-exhausted"), _of("model-volume-missing")),
        *(asking(2, name="trainer"), asking(replicas=2)),
        _chat(
            container(volumeMounts=[{"name": "model", "mountPath": "/models"}]),
            volumes=[{"name": "model", "hostPath": {"path": "/srv/models", "type": "Directory"}}],
        ),
        shows=r"hostPath type check failed",
        first=(forgotten(), labelled(), hosted(settings(2))),
        exclusive=True,
    ),
    _pair(
        "node-and-module",
        (_of("node-cordoned", "node1", "Node", cluster=True), _of("wasm-module-invalid")),
        INVALID,
        shows=(r"nodes are available", r"length out of bounds"),
        then=(
            on_node.changed("sleep 12"),
            on_node.kubectl("cordon", "node1", undo=("uncordon", "node1")),
            on_node.applied(deployment(replicas=3)),
        ),
        exclusive=True,
    ),
    _pair(
        "plugin-and-user",
        (
            _of("device-plugin-crashing", PLUGIN, "DaemonSet", namespace="kube-system"),
            _of("run-as-non-root-conflict"),
        ),
        *(static_plugin(), asking(replicas=2)),
        _chat(securityContext={"runAsNonRoot": True}),
        shows=r"CreateContainerConfigError",
        first=(labelled(), loaded(actor(PLUGIN_IMAGE, PROGRAM, "plugin-no-config", 1))),
        exclusive=True,
    ),
    _pair(
        "mixed-pool-and-image",
        (
            _of("handler-missing-on-some-nodes", "node2", "Node", cluster=True),
            _of("image-pull-failed"),
        ),
        deployment(replicas=6),
        _chat(
            container(image="192.0.2.10:5999/chat:1"),
            nodeSelector={"kubernetes.io/hostname": "node1"},
        ),
        shows=r"ErrImagePull|ImagePullBackOff",
        shape=Shape(nodes=2),
    ),
    _pair(
        "two-namespaces",
        (
            Expected("config-reference-missing"),
            _of("wasm-module-not-found", namespace="f-pair--other-team"),
        ),
        deployment(REFERRING, replicas=3),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "f-pair--other-team"}},
        {
            **_chat(container(command=["/chat.wasm"])),
            "metadata": {"name": "chat", "namespace": "f-pair--other-team"},
        },
        shows=r"invalid path|chat.wasm` not found",
        namespaces=("f-pair--other-team",),
        moments=ALL,
    ),
    _pair(
        "two-containers",
        (Expected("image-pull-failed"), Expected("wasm-module-invalid")),
        deployment(
            pod_spec(
                container(image="192.0.2.10:5999/web:1"),
                container("embedder", TRUNCATED, ports=None, readinessProbe=None),
            )
        ),
        shows=r"length out of bounds",
        moments=ALL,
    ),
    _pair(
        "scaler-and-probe",
        (
            _of("metrics-api-missing", "web", "HorizontalPodAutoscaler"),
            _of("exec-probe-unsupported"),
        ),
        *(deployment(), AUTOSCALER),
        _chat(container(livenessProbe={"exec": {"command": ["true"]}, "periodSeconds": 3})),
        shows=r"FailedGetResourceMetric",
    ),
)
