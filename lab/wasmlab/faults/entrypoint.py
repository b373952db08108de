"""Wasm containers whose annotation, command, probe or class is wrong."""

from __future__ import annotations

from .model import Expected, Fault
from .objects import BUSYBOX, HELLO, container, deployment, pod_spec, runtime_class

COMPAT = {"module.wasm.image/variant": "compat"}
SMART = {"module.wasm.image/variant": "compat-smart"}
SLEEP = ["/bin/busybox", "sleep", "1000000"]
NEIGHBOUR = deployment(name="neighbour")

_ELSEWHERE = runtime_class(
    "wasm-elsewhere", "crun", scheduling={"nodeSelector": {"wasm.example/ready": "yes"}}
)
_WITH_OVERHEAD = runtime_class("wasm-overhead", "crun", overhead={"podFixed": {"memory": "8Mi"}})


def _pod(name: str, spec: dict[str, object], annotations: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": annotations, "labels": {"app": name}},
        "spec": spec,
    }


FAULTS = (
    Fault(
        "wasm-annotation-missing",
        (Expected("wasm-annotation-missing"),),
        (deployment(annotations={}), NEIGHBOUR),
        r"Exec format error",
    ),
    Fault(
        "wasm-annotation-missing--pod",
        (Expected("wasm-annotation-missing", "Pod"),),
        (_pod("web", pod_spec(), {}),),
        r"Exec format error",
    ),
    Fault(
        "wasm-annotation-misplaced",
        (Expected("wasm-annotation-misplaced"),),
        ({**deployment(annotations={}), "metadata": {"name": "web", "annotations": SMART}},),
        r"Exec format error",
    ),
    Fault(
        "wasm-handler-forced-on-linux-binary",
        (Expected("wasm-handler-forced-on-linux-binary"),),
        (
            deployment(
                pod_spec(
                    container(command=["/hello.wasm"]),
                    {"name": "sidecar", "image": BUSYBOX, "command": SLEEP},
                ),
                annotations=COMPAT,
            ),
        ),
        r"load library failed|magic header",
    ),
    Fault(
        "healthy--linux-sidecar",
        (),
        (
            deployment(
                pod_spec(
                    container(command=["/hello.wasm"]),
                    {
                        "name": "sidecar",
                        "image": BUSYBOX,
                        "command": SLEEP,
                        "livenessProbe": {"exec": {"command": ["/bin/sh", "-c", "true"]}},
                    },
                )
            ),
        ),
        r'"readyReplicas": 1',
    ),
    Fault(
        "wasm-entrypoint-is-cli",
        (Expected("wasm-entrypoint-is-cli"),),
        (
            deployment(
                pod_spec(container(command=["wasmedge", "--dir", ".", "/hello.wasm"])), replicas=2
            ),
            NEIGHBOUR,
        ),
        r"executable file `wasmedge` not found",
    ),
    Fault(
        "wasm-entrypoint-not-wasm",
        (Expected("wasm-entrypoint-not-wasm"),),
        (deployment(pod_spec(container(command=["hello"]))),),
        r"executable file `hello` not found",
    ),
    Fault(
        "wasm-module-not-found",
        (Expected("wasm-module-not-found"),),
        (deployment(pod_spec(container(command=["/other.wasm"]))),),
        r"invalid path|other.wasm` not found",
    ),
    Fault(
        "wasm-module-invalid",
        (Expected("wasm-module-invalid"),),
        (deployment(pod_spec(container(image=HELLO.replace("hello", "truncated")))),),
        r"length out of bounds",
    ),
    Fault(
        "wasm-module-invalid--garbage",
        (Expected("wasm-module-invalid"),),
        (deployment(pod_spec(container(image=HELLO.replace("hello", "garbage")))), NEIGHBOUR),
        r"magic header not detected",
    ),
    Fault(
        "exec-probe-unsupported",
        (Expected("exec-probe-unsupported"),),
        (
            deployment(
                pod_spec(
                    container(
                        livenessProbe={
                            "exec": {"command": ["sh", "-c", "true"]},
                            "periodSeconds": 3,
                        }
                    )
                )
            ),
        ),
        r"OCI runtime exec failed|does not support exec",
    ),
    Fault(
        "runtimeclass-selector-conflict",
        (Expected("runtimeclass-selector-conflict"),),
        (
            _ELSEWHERE,
            deployment(
                pod_spec(runtime_class="wasm-elsewhere", nodeSelector={"wasm.example/ready": "no"})
            ),
        ),
        r"conflict: runtimeClass",
    ),
    Fault(
        "runtimeclass-no-matching-node",
        (Expected("runtimeclass-no-matching-node"),),
        (_ELSEWHERE, deployment(pod_spec(runtime_class="wasm-elsewhere"))),
        r"didn't match Pod's node affinity",
    ),
    Fault(
        "runtimeclass-overhead-mismatch",
        (Expected("runtimeclass-overhead-mismatch"),),
        (
            _WITH_OVERHEAD,
            deployment(pod_spec(runtime_class="wasm-overhead", overhead={"memory": "64Mi"})),
        ),
        r"Pod's Overhead doesn't match",
    ),
)
