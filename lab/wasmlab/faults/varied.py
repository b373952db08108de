"""The same causes under other controllers, in other containers, under other names."""

from __future__ import annotations

from typing import Any

from .handlers import WASMEDGE
from .model import ALL, FIRST_TWO, Expected, Fault, Object, Shape
from .module import controlled
from .objects import BUSYBOX, COMPAT_SMART, LIMITS, container, pod_spec
from .policy import namespace, quota
from .workload import HOG, limited, shell_container

LAB = "localhost/wasmai-lab"
CLAIM: Object = {
    "metadata": {"name": "models"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "premium-rwo",
        "resources": {"requests": {"storage": "10Gi"}},
    },
}
NAMES = {
    "CronJob": "nightly-embeddings",
    "DaemonSet": "edge-inference",
    "Job": "summarise-batch",
    "StatefulSet": "llama-chat",
}
CREATED = r"FailedCreate"
NO_PROBE: dict[str, Any] = {"readinessProbe": None, "ports": None}


def _varied(
    cause: str, kind: str, spec: Object, shows: str, *besides: Object, **more: Any
) -> Fault:
    """``extra`` are fields of the controller; ``subject`` is another than the workload."""
    name = NAMES[kind]
    extra = more.pop("extra", {})
    expected = more.pop("subject", None) or Expected(cause, kind, name)
    return Fault(
        f"{cause}--{kind.lower()}{more.pop('suffix', '')}",
        (expected,),
        (*besides, controlled(kind, spec, name=name, **extra)),
        shows,
        **more,
    )


ONCE = container(image=f"{LAB}/ends:1", args=["exit", "0"], **NO_PROBE)
MISSPELT = pod_spec(ONCE, runtime_class="wasm-edge")
NO_SETTINGS = pod_spec(
    {**ONCE, "envFrom": [{"secretRef": {"name": "hub-token"}}]},
)

FAULTS = (
    _varied("runtimeclass-missing", "CronJob", MISSPELT, r"not found", moments=ALL),
    _varied("runtimeclass-missing", "Job", MISSPELT, CREATED, forms=("no-events",)),
    _varied(
        "runtimeclass-missing",
        "StatefulSet",
        pod_spec(runtime_class="wasm-edge"),
        CREATED,
        extra={"replicas": 2},
        forms=("namespace",),
    ),
    _varied("runtimeclass-missing", "DaemonSet", pod_spec(runtime_class="wasm-edge"), CREATED),
    _varied(
        *("handler-not-configured", "StatefulSet"),
        pod_spec(runtime_class="wasmedge"),
        r"no runtime for",
        WASMEDGE,
        shape=Shape(containerd=2),
    ),
    _varied(
        *("handler-not-configured", "CronJob"),
        pod_spec(ONCE, runtime_class="wasmedge"),
        r"no runtime for",
        WASMEDGE,
        moments=ALL,
    ),
    _varied(
        *("image-pull-failed", "CronJob"),
        pod_spec({**ONCE, "image": "192.0.2.10:5999/embed:3"}),
        r"ErrImagePull|ImagePullBackOff",
        moments=ALL,
    ),
    _varied(
        *("image-pull-failed", "DaemonSet"),
        pod_spec(container(image="registry.invalid/edge:2")),
        r"ErrImagePull|ImagePullBackOff",
        forms=("no-events",),
    ),
    _varied(
        *("wasm-annotation-missing", "StatefulSet"),
        pod_spec(),
        r"Exec format error",
        extra={"annotations": {}, "replicas": 2},
        moments=ALL,
        forms=("one-list", "plain-logs"),
    ),
    _varied(
        *("wasm-annotation-missing", "CronJob"),
        pod_spec({**ONCE, "command": ["/ends.wasm"]}),
        r"(?i:exec format error)",
        extra={"annotations": {}},
        moments=ALL,
    ),
    _varied(
        *("wasm-annotation-misplaced", "DaemonSet"),
        pod_spec(),
        r"Exec format error",
        extra={"annotations": {}, "own": COMPAT_SMART},
        moments=ALL,
    ),
    _varied(
        *("wasm-annotation-misplaced", "CronJob"),
        pod_spec(ONCE),
        r"Exec format error",
        extra={"annotations": {}, "own": COMPAT_SMART},
    ),
    _varied(
        *("memory-limit-too-low", "StatefulSet"),
        pod_spec(
            container(command=["/hello.wasm"]),
            {**shell_container(HOG, resources=limited(memory="24Mi")), "name": "cache", **NO_PROBE},
        ),
        r"OOMKilled",
        moments=ALL,
    ),
    _varied(
        *("memory-limit-too-low", "CronJob"),
        pod_spec({**shell_container(HOG, resources=limited(memory="24Mi")), **NO_PROBE}),
        r"OOMKilled",
        moments=ALL,
    ),
    _varied("config-reference-missing", "Job", NO_SETTINGS, r"CreateContainerConfigError"),
    _varied("config-reference-missing", "CronJob", NO_SETTINGS, r"CreateContainerConfigError"),
    _varied(
        *("serviceaccount-missing", "DaemonSet"),
        pod_spec(serviceAccountName="edge-reader"),
        r"error looking up service account",
    ),
    _varied(
        *("quota-exceeded", "StatefulSet"),
        pod_spec(),
        r"exceeded quota",
        quota(limits_cpu="700m", limits_memory="1Gi"),
        extra={"replicas": 3, "podManagementPolicy": "Parallel"},
        moments=ALL,
    ),
    _varied(
        *("quota-exceeded", "Job"),
        pod_spec({**ONCE, "resources": LIMITS}),
        r"exceeded quota",
        quota(pods="0"),
    ),
    _varied(
        *("pod-security-violation", "Job"),
        pod_spec(ONCE),
        r"violates PodSecurity",
        namespace("f-pod-security-violation--job", enforce="restricted"),
    ),
    _varied(
        *("storageclass-missing", "StatefulSet"),
        pod_spec(container(volumeMounts=[{"name": "models", "mountPath": "/models"}])),
        r"Unschedulable|ProvisioningFailed",
        extra={"volumeClaimTemplates": [CLAIM]},
        subject=Expected("storageclass-missing", "PersistentVolumeClaim", "models-llama-chat-0"),
        forms=("one-list",),
    ),
    _varied(
        *("insufficient-cpu-or-memory", "Job"),
        pod_spec(
            {**ONCE, "resources": {"requests": {"memory": "2Ti"}, "limits": {"memory": "2Ti"}}}
        ),
        r"nodes are available",
        forms=("namespace",),
    ),
    _varied(
        *("model-volume-missing", "DaemonSet"),
        pod_spec(
            container(volumeMounts=[{"name": "weights", "mountPath": "/models"}]),
            volumes=[
                {"name": "weights", "hostPath": {"path": "/opt/weights", "type": "Directory"}}
            ],
        ),
        r"hostPath type check failed",
    ),
    _varied(
        *("wasi-nn-plugin-missing", "CronJob"),
        pod_spec(container(image=f"{LAB}/llama-import:1", **NO_PROBE)),
        r"wasi_ephemeral_nn",
        moments=ALL,
    ),
    _varied(
        *("exec-probe-unsupported", "StatefulSet"),
        pod_spec(
            container(
                startupProbe={"exec": {"command": ["cat", "/ready"]}, "periodSeconds": 2},
            )
        ),
        r"(?i)startup probe errored|failed startup probe",
        moments=FIRST_TWO,
    ),
    _varied(
        *("exec-probe-unsupported", "DaemonSet"),
        pod_spec(
            container(lifecycle={"postStart": {"exec": {"command": ["/bin/sh", "-c", "true"]}}})
        ),
        r"FailedPostStartHook|PostStartHookError",
        moments=ALL,
    ),
    _varied(
        *("port-mismatch", "StatefulSet"),
        pod_spec(
            container(
                ports=[{"name": "http", "containerPort": 8000}],
                readinessProbe={"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 2},
            )
        ),
        r"connection refused",
        forms=("plain-logs",),
    ),
    _varied(
        *("wasm-module-invalid", "CronJob"),
        pod_spec(container(image=f"{LAB}/garbage:1", **NO_PROBE)),
        r"magic header",
        moments=ALL,
    ),
    _varied(
        *("wasm-entrypoint-is-cli", "DaemonSet"),
        pod_spec(
            container(command=["/usr/local/bin/wasmedge"], args=["--dir", ".:/", "/hello.wasm"])
        ),
        r"not found|no such file",
        moments=ALL,
    ),
    _varied(
        *("wasm-handler-forced-on-linux-binary", "StatefulSet"),
        pod_spec({"name": "proxy", "image": BUSYBOX, "command": ["/bin/busybox", "httpd", "-f"]}),
        r"load library failed|magic header",
        extra={"annotations": {"run.oci.handler": "wasm"}},
        moments=ALL,
    ),
    _varied(
        *("run-as-non-root-conflict", "Job"),
        pod_spec(ONCE, securityContext={"runAsNonRoot": True}),
        r"CreateContainerConfigError",
    ),
)
