"""From an HTTP error answer to our error classes, in the server's own words."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from kubectl_wasmai.errors import (
    ApiError,
    ClusterUnreachable,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    WasmaiError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORBIDDEN = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_LOGIN = "Log in again, and look at the user of `kubectl config view --minify`."
_FIELDS = "Check the manifest's fields: `kubectl explain KIND --recursive` lists them."
_WRONG_SCHEMA = "failed to create typed patch object"
_SHOWN = 300  # characters of an answer that is no Status

_KINDS: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Gone,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
}
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _LOGIN,
    HTTPStatus.GONE: "List again from the start.",
    HTTPStatus.TOO_MANY_REQUESTS: "The API server limits requests: try again later.",
}


class Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""
    field: str = ""


class Details(msgspec.Struct, rename="camel"):
    name: str = ""
    group: str = ""
    kind: str = ""
    causes: list[Cause] = []
    retry_after_seconds: int = 0


class Status(msgspec.Struct):
    """``metav1.Status``: what the API answers when it does not do what was asked."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: Details | None = None


def to_error(
    code: int, headers: Mapping[str, str], body: bytes, *, request: str, place: str
) -> WasmaiError:
    """The error for an answer of status ``code`` (300 and up).

    ``request`` is the method and path, ``place`` the server and its context.
    """
    if code < HTTPStatus.BAD_REQUEST:
        return ClusterUnreachable(
            f"{place} redirects {request} to {headers.get('Location', 'elsewhere')}",
            "Credentials are not sent after a redirect: put the final URL in the kubeconfig.",
        )
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        status = Status()
    if status.kind != "Status":
        return _not_kubernetes(code, headers, body, request, place)
    return from_status(status, code, place)


def from_status(status: Status, code: int = 0, place: str = "") -> ApiError:
    """The error for a Status object, from an answer or from inside a watch."""
    code = code or status.code
    message = status.message or status.reason or f"the API server answered {code}"
    if code == HTTPStatus.UNAUTHORIZED:
        said = f": {message}" if message.lower() != "unauthorized" else ""
        where = f" to {place}" if place else ""
        message = f"you must be logged in{where} (Unauthorized){said}"
    elif code == HTTPStatus.FORBIDDEN:
        return _forbidden(message, status)
    elif code == HTTPStatus.CONFLICT:
        return _conflict(message, status)
    elif message.startswith(_WRONG_SCHEMA):
        # The API server says 500 here, but it is the manifest that is wrong.
        return Invalid(message, _FIELDS, status=code, reason=status.reason)
    kind = _KINDS.get(code, ApiError)
    return kind(message, _hint(code, status), status=code, reason=status.reason)


def _hint(code: int, status: Status) -> str:
    if code == HTTPStatus.NOT_FOUND and not (status.details and status.details.name):
        return "The cluster does not serve this kind: `kubectl api-resources` lists what it serves."
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "The API server has a fault of its own: see `kubectl get --raw '/readyz?verbose'`."
    return _HINTS.get(code, "")


def _forbidden(message: str, status: Status) -> Forbidden:
    """RBAC's words hold verb, resource and namespace; other refusals (a webhook's) do not."""
    found = _FORBIDDEN.search(message)
    if found is None:
        kind = status.details.kind if status.details else ""
        return Forbidden(message, reason=status.reason, resource=kind)
    verb, namespace = found["verb"], found["namespace"] or ""
    resource = found["resource"]
    dotted = f"{resource}.{found['group']}" if found["group"] else resource
    scope = f"in the namespace {namespace}" if namespace else "in the whole cluster"
    return Forbidden(
        message,
        f"Ask an administrator for a role that may {verb} {dotted} {scope}.",
        reason=status.reason,
        verb=verb,
        resource=dotted,
        namespace=namespace,
    )


def _conflict(message: str, status: Status) -> Conflict:
    causes = status.details.causes if status.details else []
    owned = [cause for cause in causes if cause.reason == "FieldManagerConflict"]
    if not owned:
        return Conflict(message, "", status=HTTPStatus.CONFLICT, reason=status.reason)
    fields = "; ".join(
        f"{cause.field} ({cause.message.removeprefix('conflict with ')})" for cause in owned
    )
    return Conflict(
        f"other managers own {fields}",
        "Leave these fields to them, or take them over with --force-conflicts.",
        status=HTTPStatus.CONFLICT,
        reason=status.reason,
    )


def _not_kubernetes(
    code: int, headers: Mapping[str, str], body: bytes, request: str, place: str
) -> WasmaiError:
    """An answer that no API server gives: a proxy, a login page, or TLS spoken to by plain http."""
    text = " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN]
    if "HTTP request to an HTTPS server" in text:
        return ClusterUnreachable(
            f"{place} expects https, and was asked over plain http",
            "Write the server as https://HOST:PORT in the kubeconfig or in --server.",
        )
    said = text if "html" not in headers.get("Content-Type", "") else "a web page"
    message = f"{place} answered {request} with {code}" + (f": {said}" if said else "")
    hint = "Is this a Kubernetes API server, and no proxy before one?"
    if code == HTTPStatus.UNAUTHORIZED:
        hint = _LOGIN
    if code == HTTPStatus.NOT_FOUND and said.startswith("404 page not found"):
        hint = "The cluster does not serve this API: `kubectl api-versions` lists what it serves."
    return _KINDS.get(code, ApiError)(message, hint, status=code)


def warnings_in(values: list[str]) -> list[str]:
    """The texts of HTTP ``Warning`` headers: ``299 - "use apps/v1"`` is ``use apps/v1``."""
    return [
        re.sub(r"\\(.)", r"\1", match[1]) for value in values for match in _WARNING.finditer(value)
    ]


def as_json(body: bytes, place: str) -> Any:
    """Decode an answer. Raises ClusterUnreachable when it is no JSON: no API server sends that."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ClusterUnreachable(
            f"{place} answered, but not in JSON: {error}",
            "Is this a Kubernetes API server, and no proxy or login page before one?",
        ) from error
