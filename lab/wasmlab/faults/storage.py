"""Claims that nobody fills, and volumes that cannot be mounted."""

from __future__ import annotations

from typing import Any

from .model import Expected, Fault, Object
from .objects import container, deployment, pod_spec

CLAIM = "PersistentVolumeClaim"
AMOUNT = {"storage": "1Gi"}
NAME = "f-volume-mount-failed"


def _claim(**spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": CLAIM,
        "metadata": {"name": "models"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": AMOUNT}, **spec},
    }


def _class(name: str, provisioner: str, mode: str = "Immediate") -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
    }


def _mounting() -> Object:
    return deployment(
        pod_spec(
            container(volumeMounts=[{"name": "models", "mountPath": "/models"}]),
            volumes=[{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}],
        )
    )


def _volume(name: str, **source: Object) -> Object:
    spec = {"capacity": AMOUNT, "accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {**spec, **source},
    }


FAULTS = (
    Fault(
        "storageclass-missing",
        (Expected("storageclass-missing", CLAIM, "models"),),
        (_claim(storageClassName="fast-ssd"), _mounting()),
        r"ProvisioningFailed|Unschedulable",
    ),
    Fault(
        "storageclass-no-default",
        (Expected("storageclass-no-default", CLAIM, "models"),),
        (_claim(), _mounting()),
        r"Unschedulable",
    ),
    Fault(
        "volume-not-bound",
        (Expected("volume-not-bound", CLAIM, "models"),),
        (
            _class("wasmai-nobody", "example.com/nobody"),
            _claim(storageClassName="wasmai-nobody"),
            _mounting(),
        ),
        r"ExternalProvisioning|Unschedulable",
    ),
    Fault(
        "volume-not-bound--local",
        (Expected("volume-not-bound", CLAIM, "models"),),
        (
            _class("wasmai-local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
            _claim(storageClassName="wasmai-local"),
            _mounting(),
        ),
        r"Unschedulable",
    ),
    Fault(
        "volume-mount-failed",
        (Expected("volume-mount-failed"),),
        (
            _volume(NAME, nfs={"server": "192.0.2.250", "path": "/models"}),
            _claim(storageClassName="", volumeName=NAME),
            _mounting(),
        ),
        r"FailedMount",
    ),
    Fault(
        "volume-mount-failed--csi",
        (Expected("volume-mount-failed"),),
        (
            _volume(f"{NAME}-csi", csi={"driver": "csi.example.com", "volumeHandle": "models"}),
            _claim(storageClassName="", volumeName=f"{NAME}-csi"),
            _mounting(),
        ),
        r"FailedMount|FailedAttachVolume",
    ),
)
