"""Pods that start and do not live: memory, ports, probes, and what their spec refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import Expected, Fault
from .objects import BUSYBOX, COMPAT_SMART, LIMITS, container, deployment, pod_spec, service

if TYPE_CHECKING:
    from .model import Object

HEALTH = {"httpGet": {"path": "/health", "port": 8080}}


def limited(**limits: str) -> Object:
    """The usual limits but for those named; requests never above them."""
    amounts = {**LIMITS["limits"], **limits}
    requests = {key: limits.get(key, value) for key, value in LIMITS["requests"].items()}
    return {"requests": requests, "limits": amounts}


def shell_container(script: str, **more: Any) -> Object:
    """A Linux program beside Wasm ones: crun tells them apart."""
    words = ["/bin/busybox", "sh", "-c", script.replace("httpd", "/bin/busybox httpd")]
    return container(image=BUSYBOX, command=words, **more)


def _pod(spec: Object) -> Object:
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _job(spec: Object) -> Object:
    template = {
        "metadata": {"annotations": COMPAT_SMART},
        "spec": {**spec, "restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "web"},
        "spec": {"backoffLimit": 2, "template": template},
    }


def _env(name: str, **source: Object) -> list[Object]:
    return [{"name": name, "valueFrom": source}]


HOG = "echo loading model; exec /bin/busybox tail -c 300000000 /dev/zero"
"""Asks for far more memory than its limit."""

LOADING = "echo 'loading model /models/m.gguf'; /bin/busybox sleep 100; httpd -f -p 8080 -h /"
SLOW = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done; httpd -f -p 8080 -h /"
BUSY = (
    "echo ok > /tmp/health; httpd -f -p 8080 -h /tmp & P=$!; echo serving on 0.0.0.0:8080; "
    "/bin/busybox sleep 20; kill -STOP $P; /bin/busybox sleep 1000"
)
TMP: dict[str, Any] = {
    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - inside a container
}
WITH_TMP: dict[str, Any] = {"volumes": [{"name": "tmp", "emptyDir": {}}]}

FAULTS = (
    Fault(
        "memory-limit-too-low",
        (Expected("memory-limit-too-low"),),
        (deployment(pod_spec(shell_container(HOG, resources=limited(memory="24Mi"))), replicas=2),),
        r"OOMKilled",
    ),
    Fault(
        "memory-limit-too-low--job",
        (Expected("memory-limit-too-low", kind="Job"),),
        (
            _job(
                pod_spec(
                    shell_container(HOG, resources=limited(memory="24Mi"), readinessProbe=None)
                )
            ),
            deployment(name="neighbour"),
        ),
        r"OOMKilled",
    ),
    Fault(
        "port-mismatch",
        (Expected("port-mismatch"),),
        (deployment(pod_spec(container(env=[{"name": "PORT", "value": "9090"}]))), service()),
        r"connection refused",
    ),
    Fault(
        "port-mismatch--probe",
        (Expected("port-mismatch", kind="Pod"),),
        (
            _pod(pod_spec(container(readinessProbe={"tcpSocket": {"port": 8081}}))),
            deployment(name="neighbour"),
        ),
        r"connection refused",
    ),
    Fault(
        "port-mismatch--killed",
        (Expected("port-mismatch"),),
        (
            deployment(
                pod_spec(
                    container(
                        env=[{"name": "PORT", "value": "3000"}],
                        livenessProbe={**HEALTH, "periodSeconds": 2, "failureThreshold": 2},
                    )
                )
            ),
        ),
        r"failed liveness probe, will be restarted",
    ),
    Fault(
        "probe-path-missing",
        (Expected("probe-path-missing"),),
        (deployment(pod_spec(shell_container("httpd -f -p 8080 -h /tmp", **TMP), **WITH_TMP)),),
        r"statuscode: 404",
    ),
    Fault(
        "probe-path-missing--liveness",
        (Expected("probe-path-missing"),),
        (
            deployment(
                pod_spec(
                    shell_container(
                        "httpd -f -p 8080 -h /tmp",
                        readinessProbe={"tcpSocket": {"port": 8080}},
                        livenessProbe={**HEALTH, "periodSeconds": 5, "failureThreshold": 2},
                        **TMP,
                    ),
                    **WITH_TMP,
                )
            ),
        ),
        r"failed liveness probe, will be restarted",
    ),
    Fault(
        "startup-probe-too-short",
        (Expected("startup-probe-too-short"),),
        (
            deployment(
                pod_spec(
                    shell_container(
                        LOADING, startupProbe={**HEALTH, "periodSeconds": 2, "failureThreshold": 4}
                    )
                )
            ),
        ),
        r"failed startup probe, will be restarted",
    ),
    Fault(
        "startup-probe-too-short--liveness",
        (Expected("startup-probe-too-short"),),
        (
            deployment(
                pod_spec(
                    shell_container(
                        LOADING, livenessProbe={**HEALTH, "periodSeconds": 3, "failureThreshold": 3}
                    )
                )
            ),
        ),
        r"failed liveness probe, will be restarted",
    ),
    Fault(
        "liveness-kills-busy-server",
        (Expected("liveness-kills-busy-server"),),
        (
            deployment(
                pod_spec(
                    shell_container(
                        BUSY,
                        readinessProbe={**HEALTH, "periodSeconds": 2},
                        livenessProbe={**HEALTH, "periodSeconds": 3, "failureThreshold": 2},
                        **TMP,
                    ),
                    **WITH_TMP,
                )
            ),
        ),
        r"failed liveness probe, will be restarted",
    ),
    Fault(
        "cpu-throttled",
        (Expected("cpu-throttled"),),
        (
            deployment(
                pod_spec(
                    shell_container(
                        SLOW,
                        resources=limited(cpu="10m"),
                        startupProbe={**HEALTH, "periodSeconds": 4, "failureThreshold": 4},
                    )
                )
            ),
        ),
        r"failed startup probe, will be restarted",
    ),
    Fault(
        "config-reference-missing",
        (Expected("config-reference-missing"),),
        (
            deployment(
                pod_spec(
                    container(
                        env=_env("MODEL", configMapKeyRef={"name": "settings", "key": "model"})
                    )
                ),
                replicas=2,
            ),
        ),
        r"CreateContainerConfigError",
    ),
    Fault(
        "config-reference-missing--volume",
        (Expected("config-reference-missing", kind="Pod"),),
        (
            _pod(
                pod_spec(
                    container(volumeMounts=[{"name": "key", "mountPath": "/key"}]),
                    volumes=[{"name": "key", "secret": {"secretName": "api-key"}}],
                )
            ),
            deployment(name="neighbour"),
        ),
        r"FailedMount",
    ),
    Fault(
        "run-as-non-root-conflict",
        (Expected("run-as-non-root-conflict"),),
        (deployment(pod_spec(securityContext={"runAsNonRoot": True})),),
        r"CreateContainerConfigError",
    ),
)
