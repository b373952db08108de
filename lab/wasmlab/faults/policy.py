"""Pods that the API server refuses: accounts, Pod Security, quota, limit ranges."""

from __future__ import annotations

from .model import Expected, Fault, Object
from .objects import COMPAT_SMART, deployment, pod_spec


def namespace(fault: str, **labels: str) -> Object:
    named = {f"pod-security.kubernetes.io/{key}": value for key, value in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fault, "labels": named}}


def quota(**hard: str) -> Object:
    amounts = {key.replace("_", "."): value for key, value in hard.items()}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "compute"},
        "spec": {"hard": amounts},
    }


RANGE: Object = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small"},
    "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]},
}
JOB: Object = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "web"},
    "spec": {
        "template": {
            "metadata": {"annotations": COMPAT_SMART},
            "spec": {**pod_spec(serviceAccountName="reader"), "restartPolicy": "Never"},
        }
    },
}

FAULTS = (
    Fault(
        "serviceaccount-missing",
        (Expected("serviceaccount-missing"),),
        (deployment(pod_spec(serviceAccountName="model-reader"), replicas=2),),
        r"error looking up service account",
    ),
    Fault(
        "serviceaccount-missing--job",
        (Expected("serviceaccount-missing", kind="Job"),),
        (JOB, deployment(name="neighbour")),
        r"error looking up service account",
    ),
    Fault(
        "pod-security-violation",
        (Expected("pod-security-violation"),),
        (namespace("f-pod-security-violation", enforce="restricted"), deployment()),
        r"violates PodSecurity",
    ),
    Fault(
        "quota-exceeded",
        (Expected("quota-exceeded"),),
        (quota(limits_cpu="700m", limits_memory="1Gi"), deployment(replicas=3)),
        r"exceeded quota",
    ),
    Fault(
        "quota-exceeded--limit-range",
        (Expected("quota-exceeded"),),
        (RANGE, deployment()),
        r"maximum memory usage per Container",
    ),
)
