"""Server-side apply, and whether it changed anything."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from kubectl_wasmai.errors import Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.transport import Transport

FIELD_MANAGER = "kubectl-wasmai"
DryRun = Literal["none", "server"]


@dataclass(frozen=True)
class Applied:
    """The object as the server has it now, or would have it under a dry run."""

    object: dict[str, Any]
    operation: Literal["created", "configured", "unchanged"]


def apply(
    transport: Transport,
    path: str,
    manifest: dict[str, Any],
    *,
    dry_run: DryRun,
    force_conflicts: bool,
) -> Applied:
    """PATCH ``manifest`` to ``path``. Raises Conflict, Invalid, Forbidden and the transport's."""
    before = _before(transport, path)
    query = [
        ("fieldManager", FIELD_MANAGER),
        ("force", "true" if force_conflicts else ""),
        ("dryRun", "All" if dry_run == "server" else ""),
        # A misspelt field is an error, not a silent nothing.
        ("fieldValidation", "Strict"),
    ]
    try:
        # JSON is YAML: the body needs no YAML writer.
        answer = transport.request(
            "PATCH", path, query=query, body=manifest, content_type="application/apply-patch+yaml"
        )
    except Conflict as error:
        name = f"{manifest.get('kind', 'object')} {manifest.get('metadata', {}).get('name', '')}"
        raise Conflict(
            f"{name}: {error.message}", error.hint, status=error.status, reason=error.reason
        ) from error
    after = answer.json()
    if answer.status == HTTPStatus.CREATED:
        return Applied(after, "created")
    same = before is not None and _same(before, after, exact=dry_run == "none")
    return Applied(after, "unchanged" if same else "configured")


def _before(transport: Transport, path: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = transport.request("GET", path).json()
    except (NotFound, Forbidden):  # who may write need not be allowed to read
        return None
    return found


def _same(before: dict[str, Any], after: dict[str, Any], *, exact: bool) -> bool:
    if exact:
        old, new = before.get("metadata", {}), after.get("metadata", {})
        return bool(old.get("resourceVersion") == new.get("resourceVersion"))
    return _comparable(before) == _comparable(after)


def _comparable(object_: dict[str, Any]) -> dict[str, Any]:
    """What a dry run may be judged by: without version, generation, status and times."""
    metadata = dict(object_.get("metadata", {}))
    for name in ("resourceVersion", "generation"):
        metadata.pop(name, None)
    metadata["managedFields"] = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in metadata.get("managedFields", ())
        if entry.get("subresource") != "status"
    ]
    rest = {key: value for key, value in object_.items() if key != "status"}
    return {**rest, "metadata": metadata}
