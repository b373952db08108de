"""One repository of a registry: what the distribution specification lets one ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.oci import (
    INDEX,
    INDEX_TYPES,
    LARGEST_DOCUMENT,
    MANIFEST_TYPES,
    Descriptor,
    digest_of,
)
from kubectl_wasmai.image.registry.refusal import NOT_FOUND, Answer
from kubectl_wasmai.image.store import require_digest

if TYPE_CHECKING:
    import urllib3

    from kubectl_wasmai.image.registry.client import Registry

OK, CREATED, ACCEPTED, NO_CONTENT = 200, 201, 202, 204
_ANY = range(200, 600)
_ACCEPTED_TYPES = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))


class Repository:
    """The images of one name."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.name = name

    def __str__(self) -> str:
        return f"{self.registry.name}/{self.name}"

    def manifest(self, version: str) -> tuple[Descriptor, bytes] | None:
        """A manifest or index by tag or digest; None where there is none.

        Raises RegistryError; InputError where it is not what its digest says.
        """
        answer = self._ask(
            "GET", f"manifests/{version}", {"Accept": _ACCEPTED_TYPES}, OK, NOT_FOUND
        )
        if answer.status == NOT_FOUND:
            return None
        data = answer.data
        if len(data) > LARGEST_DOCUMENT:
            raise RegistryError(f"{self}:{version} is no manifest: it has {len(data)} bytes")
        digest = digest_of(data)
        if version.startswith("sha256:"):
            require_digest(version, digest)
        return Descriptor(_media_type(answer), digest, len(data)), data

    def put_manifest(self, version: str, data: bytes, media_type: str) -> bool:
        """Store a manifest under a tag or its digest.

        True where the registry said that it lists it among the referrers of its subject.
        """
        answer = self._request("PUT", f"manifests/{version}", {"Content-Type": media_type}, data)
        return "OCI-Subject" in answer.headers

    def has_blob(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self._ask("HEAD", f"blobs/{digest}", {}, OK, NOT_FOUND).status == OK

    def start_upload(self, digest: str = "", other: str = "") -> Answer:
        """Begin an upload (202), or take the blob over from another repository (201)."""
        query = "?" + urlencode({"mount": digest, "from": other}) if other else ""
        return self._request("POST", f"blobs/uploads/{query}", {"Content-Length": "0"}, None)

    def upload_status(self, location: str) -> Answer:
        """How far an upload came, if the registry knows it; any status."""
        return self._ask("GET", location, {}, *_ANY)

    def cancel_upload(self, location: str) -> None:
        """Tell the registry that an upload will not go on; whatever it says to that."""
        if location:
            self._ask("DELETE", location, {}, *_ANY)

    def blob(self, digest: str, start: int = 0) -> urllib3.BaseHTTPResponse:
        """A blob from a byte on, not read yet; tried once. Raises Interrupted."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self.registry.send("GET", self.name, f"blobs/{digest}", headers=headers)

    def small_blob(self, digest: str) -> bytes:
        """A config or the like. Raises RegistryError; InputError for a wrong digest."""
        data = self._ask("GET", f"blobs/{digest}", {}, OK).data
        require_digest(digest, digest_of(data))
        return data

    def referrers(self, digest: str) -> bytes | None:
        """The index of what refers to a manifest; None where the registry has no such list."""
        answer = self._ask("GET", f"referrers/{digest}", {"Accept": INDEX}, OK, NOT_FOUND)
        # Some servers answer unknown paths with a page of theirs.
        ours = answer.status == OK and _media_type(answer) == INDEX
        return answer.data if ours else None

    def _ask(self, method: str, path: str, headers: dict[str, str], *expect: int) -> Answer:
        return self.registry.request(method, self.name, path, headers=headers, expect=expect)

    def _request(
        self, method: str, path: str, headers: dict[str, str], data: bytes | None
    ) -> Answer:
        return self.registry.request(method, self.name, path, headers=headers, data=data)


def _media_type(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()
