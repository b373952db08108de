"""The documents of the OCI image specification: descriptors, manifests, indexes, configs.

Written as canonical JSON, so that the same content has the same digest everywhere; read into
typed structs that ignore what we do not use.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.reference import DIGEST

_OCI = "application/vnd.oci.image"
_DOCKER = "application/vnd.docker"
INDEX = f"{_OCI}.index.v1+json"
MANIFEST = f"{_OCI}.manifest.v1+json"
CONFIG = f"{_OCI}.config.v1+json"
LAYER = f"{_OCI}.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = f"{_DOCKER}.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = f"{_DOCKER}.distribution.manifest.v2+json"
INDEX_TYPES = (INDEX, DOCKER_LIST)
MANIFEST_TYPES = (MANIFEST, DOCKER_MANIFEST)

LARGEST_DOCUMENT = 4 << 20
"""Bytes; what registries accept for a manifest."""

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a manifest of an index runs on."""

    architecture: str = ""
    os: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A reference to content by digest. ``size`` is in bytes."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] | None = None
    platform: Platform | None = None
    artifact_type: str = ""

    def document(self) -> dict[str, Any]:
        """For writing."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """An image, or an artifact: config and layers."""

    config: Descriptor
    layers: list[Descriptor] = []
    media_type: str = MANIFEST
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None


class Index(msgspec.Struct, frozen=True, rename="camel"):
    """Several manifests, one for each platform."""

    manifests: list[Descriptor]
    media_type: str = INDEX
    annotations: dict[str, str] | None = None


class ImageSettings(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of a config that a runtime reads."""

    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    user: str = ""
    labels: dict[str, str] | None = None


class Config(msgspec.Struct, frozen=True):
    """An image's configuration."""

    architecture: str = ""
    os: str = ""
    config: ImageSettings | None = None


def parse_document(data: bytes, what: str) -> Manifest | Index:
    """Read a manifest or an index; ``what`` names it in errors. Raises InputError."""
    try:
        fields = msgspec.json.decode(data, type=dict[str, Any])
        # Programs in Go write an empty list as null.
        known = {key: value for key, value in fields.items() if value is not None}
        document: Manifest | Index
        if "manifests" in fields:
            document = msgspec.convert({"manifests": [], **known}, Index)
        else:
            document = msgspec.convert(known, Manifest)
    except msgspec.DecodeError as error:
        raise InputError(
            f"{what} is no image manifest: {error}",
            "manifests of schema 1, from before 2016, are not understood either",
        ) from error
    for one in descriptors(document):
        if not DIGEST.fullmatch(one.digest) or one.size < 0:
            raise InputError(f"{what} refers to {one.digest!r}, which is no sha256 digest")
    return document


def parse_config(data: bytes) -> Config | None:
    """Read a config; None where it is an artifact's, which may be anything."""
    try:
        return msgspec.json.decode(data, type=Config)
    except msgspec.DecodeError:
        return None


def descriptors(document: Manifest | Index) -> list[Descriptor]:
    """Everything a document needs, config first."""
    if isinstance(document, Index):
        return document.manifests
    return [document.config, *document.layers]


def canonical(document: object) -> bytes:
    """JSON with sorted keys and no spaces: one document, one digest."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(data: bytes) -> str:
    """``sha256:…``"""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def describe(media_type: str, data: bytes, **more: Any) -> Descriptor:
    """The descriptor of ``data``."""
    return Descriptor(media_type, digest_of(data), len(data), **more)
