"""What an image is, told from its documents alone: platforms, layers, model, engine, signatures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.image.build import (
    COMPILED_LABEL,
    ENGINE_DIGEST_LABEL,
    ENGINE_LABEL,
    MODEL_LABEL,
    ROLE,
)
from kubectl_wasmai.image.copying import title
from kubectl_wasmai.image.oci import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Config,
    Descriptor,
    Manifest,
    parse_config,
    parse_document,
)
from kubectl_wasmai.image.registry.referrers import list_referrers

if TYPE_CHECKING:
    from kubectl_wasmai.image.copying import Documents
    from kubectl_wasmai.image.registry.repository import Repository

MOST_PLATFORMS = 64
# Kinds of what may refer to an image; cosign's tags, and artifact types in use.
TAGS = {"sig": "signature", "att": "attestation", "sbom": "sbom"}
ARTIFACTS = {
    "application/vnd.dev.cosign.artifact.sig.v1+json": "signature",
    "application/vnd.dev.sigstore.bundle": "signature or attestation",
    "application/vnd.dev.cosign.simplesigning": "signature",
    "application/vnd.in-toto": "attestation",
    "application/spdx+json": "sbom",
    "application/vnd.cyclonedx+json": "sbom",
}


def describe_image(name: str, root: Descriptor, source: Documents, where: str) -> dict[str, Any]:
    """The report, as JSON. Raises InputError where a document is missing or broken."""
    platforms = _platforms(root, source)
    labels: dict[str, str] = next((each["labels"] for each in platforms if each["labels"]), {})
    sizes = {layer["digest"]: layer["size"] for each in platforms for layer in each["layers"]}
    return {
        "apiVersion": "wasmai.dev/v1",
        "kind": "Image",
        "name": name,
        "digest": root.digest,
        "mediaType": root.media_type,
        "documentSize": root.size,
        "source": where,
        "size": sum(sizes.values()),
        "model": _card(labels),
        "engine": _engine(labels, platforms),
        "platforms": platforms,
    }


def _platforms(root: Descriptor, source: Documents, depth: int = 0) -> list[dict[str, Any]]:
    document = parse_document(source.document(root), root.digest)
    if isinstance(document, Manifest):
        return [_platform(root, document, source)]
    found = []
    for one in document.manifests[:MOST_PLATFORMS]:
        if one.media_type in MANIFEST_TYPES:
            manifest = parse_document(source.document(one), one.digest)
            if isinstance(manifest, Manifest):
                found.append(_platform(one, manifest, source))
        elif one.media_type in INDEX_TYPES and depth == 0:
            found += _platforms(one, source, depth + 1)
    return found[:MOST_PLATFORMS]


def _platform(one: Descriptor, manifest: Manifest, source: Documents) -> dict[str, Any]:
    config = parse_config(source.document(manifest.config)) or Config()
    settings = config.config
    platform = str(one.platform or "") or "/".join(filter(None, [config.os, config.architecture]))
    return {
        "platform": platform,
        "digest": one.digest,
        "user": settings.user if settings else "",
        "entrypoint": (settings.entrypoint if settings else None) or [],
        "cmd": (settings.cmd if settings else None) or [],
        "labels": (settings.labels if settings else None) or {},
        "annotations": manifest.annotations or {},
        "layers": [
            {
                "title": title(layer),
                "role": (layer.annotations or {}).get(ROLE, ""),
                "mediaType": layer.media_type,
                "digest": layer.digest,
                "size": layer.size,
            }
            for layer in manifest.layers
        ],
    }


def _card(labels: dict[str, str]) -> dict[str, Any] | None:
    try:
        card = json.loads(labels.get(MODEL_LABEL, "null"))
    except ValueError:
        return None
    return card if isinstance(card, dict) else None


def _engine(labels: dict[str, str], platforms: list[dict[str, Any]]) -> dict[str, Any] | None:
    """``compiled`` says by platform what the engine was compiled for ahead of time."""
    if ENGINE_LABEL not in labels:
        return None
    compiled = {each["platform"]: each["labels"].get(COMPILED_LABEL, "") for each in platforms}
    return {
        "version": labels[ENGINE_LABEL],
        "digest": labels.get(ENGINE_DIGEST_LABEL, ""),
        "compiled": {key: value for key, value in compiled.items() if value},
    }


def attached(repository: Repository, digest: str) -> list[dict[str, str]]:
    """Signatures, attestations and lists of parts that a registry has for an image.

    That they are there says nothing about whose they are: that is for ``verify``.
    """
    found = []
    for suffix, kind in TAGS.items():
        tag = f"{digest.replace(':', '-')}.{suffix}"
        if there := repository.manifest(tag):
            found.append({"kind": kind, "digest": there[0].digest, "by": f"tag {tag}"})
    for one in list_referrers(repository, digest):
        type_ = one.artifact_type
        kind = next((kind for start, kind in ARTIFACTS.items() if type_.startswith(start)), type_)
        found.append({"kind": kind or "artifact", "digest": one.digest, "by": "referrer"})
    return found
