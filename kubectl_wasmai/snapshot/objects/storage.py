"""Volume claims, volumes and the classes that provide them."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Object


class StorageClass(Object, frozen=True):
    provisioner: str = ""
    volume_binding_mode: str | None = None


class ClaimSpec(Base, frozen=True):
    storage_class_name: str | None = None
    volume_name: str | None = None


class ClaimStatus(Base, frozen=True):
    phase: str | None = None


class PersistentVolumeClaim(Object, frozen=True):
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class PersistentVolumeSpec(Base, frozen=True):
    storage_class_name: str | None = None


class PersistentVolumeStatus(Base, frozen=True):
    phase: str | None = None


class PersistentVolume(Object, frozen=True):
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()
