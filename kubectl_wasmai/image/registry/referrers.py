"""What refers to an image: signatures, lists of parts, attestations.

Source: "Listing Referrers" and "Referrers Tag Schema" of the distribution specification 1.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_wasmai.image.content import Bytes
from kubectl_wasmai.image.oci import (
    EMPTY,
    INDEX,
    MANIFEST,
    Descriptor,
    Index,
    canonical,
    describe,
    parse_document,
)
from kubectl_wasmai.image.registry.upload import upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_wasmai.image.registry.repository import Repository

_EMPTY_OBJECT = b"{}"


def list_referrers(repository: Repository, digest: str) -> list[Descriptor]:
    """All manifests that name ``digest`` as their subject."""
    data = repository.referrers(digest)
    if data is None:
        found = repository.manifest(fallback_tag(digest))
        data = found[1] if found else None
    if data is None:
        return []
    document = parse_document(data, f"the referrers of {digest}")
    return list(document.manifests) if isinstance(document, Index) else []


def attach(
    repository: Repository,
    subject: Descriptor,
    artifact_type: str,
    data: bytes,
    annotations: Mapping[str, str],
) -> Descriptor:
    """Store ``data`` as an artifact that refers to ``subject``."""
    config = describe(EMPTY, _EMPTY_OBJECT)
    layer = describe(artifact_type, data)
    for blob, content in ((config, _EMPTY_OBJECT), (layer, data)):
        upload(repository, blob, Bytes(content))
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": config.document(),
        "layers": [layer.document()],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size).document(),
        "annotations": dict(annotations),
    }
    manifest = canonical(document)
    described = describe(
        MANIFEST, manifest, artifact_type=artifact_type, annotations=dict(annotations)
    )
    if not repository.put_manifest(described.digest, manifest, MANIFEST):
        _list_by_tag(repository, subject.digest, described)
    return described


def fallback_tag(digest: str) -> str:
    """The tag that lists referrers where the registry does not."""
    return digest.replace(":", "-")


def _list_by_tag(repository: Repository, subject: str, described: Descriptor) -> None:
    tag = fallback_tag(subject)
    found = repository.manifest(tag)
    document = parse_document(found[1], tag) if found else None
    others = document.manifests if isinstance(document, Index) else []
    entries = [each for each in others if each.digest != described.digest]
    index: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [each.document() for each in (*entries, described)],
    }
    repository.put_manifest(tag, canonical(index), INDEX)
