"""What an image is made of, as a list of parts that other tools read: SPDX and CycloneDX.

Sources: the SPDX 2.3 specification and its JSON schema; CycloneDX 1.6; package-url for crates.
"""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai import __version__
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.engine import known_crates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.image.engine import Crate

SPDX_TYPE = "application/spdx+json"
CYCLONEDX_TYPE = "application/vnd.cyclonedx+json"
TOOL = "kubectl-wasmai"
_UNKNOWN = "NOASSERTION"


@dataclass(frozen=True)
class Parts:
    """An image's parts. ``crates`` is None where the engine is not one whose crates are known."""

    name: str
    digest: str
    model: Mapping[str, Any]
    """The model's card."""
    engine: Mapping[str, Any] | None
    crates: Sequence[Crate] | None

    @property
    def files(self) -> list[Mapping[str, Any]]:
        """The model's files: name, size in bytes, digest."""
        return list(self.model.get("files") or [])


def parts_of(image: Mapping[str, Any]) -> Parts:
    """From the report of ``describe_image``. Raises InputError for images of other tools."""
    if not image.get("platforms") or not image["model"]:
        raise InputError(
            f"{image.get('name') or image['source']} is no image that says what its model is",
            "only images made by `kubectl wasmai image build` carry what a list of parts needs; "
            "for others there are scanners, such as syft",
        )
    engine = image["engine"]
    crates = known_crates(engine["digest"]) if engine else None
    return Parts(image["name"], image["digest"], image["model"], engine, crates)


def spdx(parts: Parts) -> dict[str, Any]:
    """An SPDX 2.3 document."""
    image = _spdx_package("image", parts.name, "CONTAINER", {"checksums": [_sum(parts.digest)]})
    packages, relations = [image], [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image")]
    for number, file in enumerate(parts.files):
        more = {"checksums": [_sum(file["digest"])], "comment": _comment(parts.model)}
        licence = parts.model.get("license")
        if licence:
            more["licenseComments"] = f"the model file names its licence {licence}"
        packages.append(_spdx_package(f"model-{number}", file["name"], "FILE", more))
        relations.append(("SPDXRef-image", "CONTAINS", f"SPDXRef-model-{number}"))
    if parts.engine:
        more = {"versionInfo": parts.engine["version"], "checksums": [_sum(parts.engine["digest"])]}
        packages.append(_spdx_package("engine", "engine.wasm", "APPLICATION", more))
        relations.append(("SPDXRef-image", "CONTAINS", "SPDXRef-engine"))
    for number, crate in enumerate(parts.crates or []):
        packages.append(_spdx_crate(number, crate))
        relations.append((f"SPDXRef-crate-{number}", "STATIC_LINK", "SPDXRef-engine"))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": parts.name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{TOOL}-{parts.digest.replace(':', '-')}",
        "creationInfo": {
            "created": _created(),
            "creators": [f"Tool: {TOOL}-{__version__}"],
            "comment": _completeness(parts),
        },
        "packages": packages,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }


def _spdx_package(id_: str, name: str, purpose: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-{id_}",
        "name": name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "primaryPackagePurpose": purpose,
        **more,
    }


def _spdx_crate(number: int, crate: Crate) -> dict[str, Any]:
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": _purl(crate),
    }
    more = {
        "versionInfo": crate.version,
        "licenseDeclared": _licence(crate) or _UNKNOWN,
        "externalRefs": [reference],
    }
    return _spdx_package(f"crate-{number}", crate.name, "LIBRARY", more)


def cyclonedx(parts: Parts) -> dict[str, Any]:
    """A CycloneDX 1.6 document; the same image gives the same bytes."""
    image = {"type": "container", "bom-ref": "image", "name": parts.name, "version": parts.digest}
    components: list[dict[str, Any]] = []
    for number, file in enumerate(parts.files):
        component: dict[str, Any] = {
            "type": "machine-learning-model",
            "bom-ref": f"model-{number}",
            "name": file["name"],
            "description": _comment(parts.model),
            "hashes": [_hash(file["digest"])],
        }
        if licence := parts.model.get("license"):
            component["licenses"] = [{"license": {"name": licence}}]
        components.append(component)
    depends = [each["bom-ref"] for each in components]
    dependencies = [{"ref": "image", "dependsOn": depends}]
    if parts.engine:
        depends.append("engine")
        components.append(
            {
                "type": "application",
                "bom-ref": "engine",
                "name": "engine.wasm",
                "version": parts.engine["version"],
                "hashes": [_hash(parts.engine["digest"])],
            }
        )
    crates = [_cyclonedx_crate(number, crate) for number, crate in enumerate(parts.crates or [])]
    if crates:
        dependencies.append({"ref": "engine", "dependsOn": [each["bom-ref"] for each in crates]})
    tool = {"type": "application", "name": TOOL, "version": __version__}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, parts.digest)}",
        "version": 1,
        "metadata": {"component": image, "tools": {"components": [tool]}},
        "components": [*components, *crates],
        "dependencies": dependencies,
        "compositions": [
            {
                "aggregate": "incomplete" if parts.engine and parts.crates is None else "complete",
                "assemblies": ["image"],
            }
        ],
    }


def _cyclonedx_crate(number: int, crate: Crate) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"crate-{number}",
        "name": crate.name,
        "version": crate.version,
        "purl": _purl(crate),
    }
    if expression := _licence(crate):
        component["licenses"] = [{"expression": expression}]
    return component


def _purl(crate: Crate) -> str:
    return f"pkg:cargo/{crate.name}@{crate.version}"


def _licence(crate: Crate) -> str:
    """Old crates write MIT/Apache-2.0, which means OR."""
    return crate.license.replace("/", " OR ")


def _comment(card: Mapping[str, Any]) -> str:
    """What kind of model it is, in a line."""
    keys = ("format", "architecture", "producer", "parameters", "quantization")
    return ", ".join(f"{key} {card[key]}" for key in keys if card.get(key))


def _completeness(parts: Parts) -> str:
    if parts.engine and parts.crates is None:
        return "The libraries inside the engine are not known: it is not the one of this tool."
    return "Complete: model, engine, and the libraries compiled into the engine."


def _sum(digest: str) -> dict[str, str]:
    return {"algorithm": "SHA256", "checksumValue": digest.partition(":")[2]}


def _hash(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest.partition(":")[2]}


def _created() -> str:
    """SPDX wants a time; SOURCE_DATE_EPOCH fixes it (reproducible-builds.org)."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = int(fixed) if fixed.isdigit() else time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
