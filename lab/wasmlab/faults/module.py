"""Modules that cannot be linked, trap, or end; images that say nothing of what to start."""

from __future__ import annotations

from typing import Any

from .images import put
from .model import ALL, Expected, Fault, Object, Shape
from .objects import COMPAT_SMART, container, deployment, pod_spec

LAB = "localhost/wasmai-lab"
REGISTRY = "192.0.2.10:5000"
UNPULLED = r"ErrImagePull|ImagePullBackOff|RunContainerError|CreateContainerError"
READY = r'"readyReplicas": 1'


def _module(name: str, **more: Any) -> Object:
    """A container of one of the lab's modules: no server, no probe."""
    return container(image=f"{LAB}/{name}:1", readinessProbe=None, ports=None, **more)


def controlled(kind: str, spec: Object, **more: Any) -> Object:
    """A Job, CronJob, StatefulSet or DaemonSet: ``name`` (web), ``annotations`` of its pods
    (crun's), ``own`` ones of itself, and fields of its spec."""
    name = more.pop("name", "web")
    labels = {"app": name}
    metadata = {"labels": labels, "annotations": more.pop("annotations", COMPAT_SMART)}
    template: Object = {"metadata": metadata, "spec": spec}
    head = {"kind": kind, "metadata": {"name": name, "annotations": more.pop("own", {})}}
    if kind in ("Job", "CronJob"):
        template["spec"] = {**spec, "restartPolicy": more.pop("restart", "Never")}
        job = {"backoffLimit": 1, "template": template, **more}
        if kind == "Job":
            return {"apiVersion": "batch/v1", **head, "spec": job}
        timed = {"schedule": "* * * * *", "jobTemplate": {"spec": job}}
        return {"apiVersion": "batch/v1", **head, "spec": timed}
    selector = {"selector": {"matchLabels": labels}, "template": template}
    service = {"serviceName": name} if kind == "StatefulSet" else {}
    return {"apiVersion": "apps/v1", **head, "spec": {**selector, **service, **more}}


def _ends(name: str, shows: str, *words: str, **more: Any) -> Fault:
    spec = pod_spec(_module("ends", args=list(words)))
    return Fault(
        name, (Expected(name.partition("--")[0]),), (deployment(spec),), shows, moments=ALL, **more
    )


FAULTS = (
    _ends("wasm-trap", r"execution failed: unreachable", forms=("plain-logs", "yaml")),
    _ends("wasm-trap--memory", r"out of bounds memory access", "memory"),
    _ends("wasm-trap--divide", r"execution failed", "divide"),
    _ends("wasm-trap--stack", r"execution failed", "stack"),
    Fault(
        "wasm-trap--cronjob",
        (Expected("wasm-trap", "CronJob"),),
        (controlled("CronJob", pod_spec(_module("ends", args=["memory"]))),),
        r"out of bounds memory access",
        moments=ALL,
    ),
    _ends("wasm-exit-masked", r"CrashLoopBackOff", "exit", "3", forms=("one-list", "no-events")),
    Fault(
        "wasm-exit-masked--stateful",
        (Expected("wasm-exit-masked", "StatefulSet"),),
        (controlled("StatefulSet", pod_spec(_module("ends", args=["exit", "1"])), replicas=2),),
        r"CrashLoopBackOff",
        moments=ALL,
    ),
    Fault(
        "wasm-import-unknown",
        (Expected("wasm-import-unknown"),),
        (deployment(pod_spec(_module("host-import"))), deployment(name="neighbour")),
        r"host_infer",
        moments=ALL,
        forms=("namespace",),
    ),
    Fault(
        "wasm-import-unknown--daemonset",
        (Expected("wasm-import-unknown", "DaemonSet"),),
        (controlled("DaemonSet", pod_spec(_module("host-import"))),),
        r"host_infer",
        moments=ALL,
    ),
    Fault(
        "wasm-module-invalid--component",
        (Expected("wasm-module-invalid"),),
        (deployment(pod_spec(_module("component"))),),
        r"loading failed",
        moments=ALL,
    ),
    Fault(
        "wasm-module-invalid--sidecar",
        (Expected("wasm-module-invalid"),),
        (
            deployment(
                pod_spec(
                    container(command=["/hello.wasm"]),
                    {**_module("truncated"), "name": "embedder", "command": ["/hello.wasm"]},
                )
            ),
        ),
        r"length out of bounds",
        moments=ALL,
    ),
    Fault(
        "wasm-module-not-found--init",
        (Expected("wasm-module-not-found"),),
        (
            deployment(
                pod_spec(
                    initContainers=[
                        {**_module("hello"), "name": "warm-up", "command": ["/warm-up.wasm"]}
                    ]
                )
            ),
        ),
        r"invalid path|warm-up.wasm` not found",
        moments=ALL,
    ),
    Fault(
        "wasm-entrypoint-missing",
        (Expected("wasm-entrypoint-missing"),),
        (deployment(pod_spec(_module("no-entrypoint"))), deployment(name="neighbour")),
        r"no command specified",
        moments=ALL,
        forms=("no-events", "one-list"),
    ),
    Fault(
        "wasm-entrypoint-missing--job",
        (Expected("wasm-entrypoint-missing", "Job"),),
        (controlled("Job", pod_spec(_module("no-entrypoint"))),),
        r"no command specified",
    ),
    Fault(
        "aot-version-mismatch",
        (Expected("aot-version-mismatch"),),
        (deployment(pod_spec(container(image=f"{LAB}/aot-newer:1"))),),
        READY,
        forms=("plain-logs",),
    ),
    Fault(
        "healthy--aot",
        (),
        (deployment(pod_spec(container(image=f"{LAB}/aot:1"))),),
        READY,
    ),
    Fault(
        "wasm-entrypoint-missing--artifact",
        (Expected("wasm-entrypoint-missing"),),
        (deployment(pod_spec(container(image=f"{REGISTRY}/artifact:1"))),),
        r"no command specified",
        first=(put("artifact:1", "artifact"),),
        shape=Shape(registry=True),
    ),
    Fault(
        "image-artifact-unsupported",
        (Expected("image-artifact-unsupported"),),
        (
            deployment(
                pod_spec(container(image=f"{REGISTRY}/configured:1", command=["/app.wasm"])),
                replicas=2,
            ),
        ),
        UNPULLED + r"|mismatched|Error",
        first=(put("configured:1", "configured"),),
        shape=Shape(registry=True),
        moments=ALL,
        forms=("one-list",),
    ),
    Fault(
        "image-artifact-unsupported--containerd-2",
        (Expected("image-artifact-unsupported", "Pod"),),
        (
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "web", "annotations": COMPAT_SMART},
                "spec": pod_spec(
                    container(image=f"{REGISTRY}/configured:1", command=["/app.wasm"])
                ),
            },
        ),
        UNPULLED,
        first=(put("configured:1", "configured"),),
        shape=Shape(containerd=2, registry=True),
        moments=ALL,
    ),
    Fault(
        "image-platform-mismatch--containerd-2",
        (Expected("image-platform-mismatch"),),
        (deployment(pod_spec(container(image=f"{REGISTRY}/wasi-only:1"))),),
        UNPULLED,
        first=(put("wasi-only:1", "wasi"),),
        shape=Shape(containerd=2, registry=True),
        moments=ALL,
    ),
)
