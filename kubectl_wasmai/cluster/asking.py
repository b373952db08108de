"""Small questions to the API server: what it serves, what we may do, what a pod says."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import urllib3

from kubectl_wasmai.errors import ApiError, NotFound

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.transport import Transport
    from kubectl_wasmai.resources import Resource

_CHUNK = 1 << 16


def serves(transport: Transport, resource: Resource) -> bool:
    """Whether the server has this kind in this version, as its discovery tells; a server that
    does not tell may have it."""
    try:
        answer = transport.request("GET", resource.root).json()
    except NotFound:
        return False
    except ApiError:
        return True
    listed = answer.get("resources") if isinstance(answer, dict) else None
    return any(each.get("name") == resource.plural for each in listed or ())


def review(resource: Resource, verb: str, namespace: str | None, subresource: str) -> Any:
    """The body of a SelfSubjectAccessReview; ``namespace`` None: all namespaces."""
    attributes = {
        "verb": verb,
        "group": resource.group,
        "version": resource.version,
        "resource": resource.plural,
        "subresource": subresource,
        "namespace": namespace or "" if resource.namespaced else "",
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def through_proxy(transport: Transport, path: str, most: int, seconds: float) -> str:
    """What a pod answers to a GET, at most ``most`` bytes of it; asked once.

    A longer answer ends at its last whole line. Raises ClusterUnreachable where nothing comes in
    time, and the ApiError of any answer that is not 2xx, be it the API server's or the pod's.
    """
    answer = transport.open("GET", path, accept="text/plain, */*", timeout=seconds)
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise transport.error(answer, f"GET {path}")
    body = b""
    try:
        for piece in answer.stream(_CHUNK, decode_content=True):
            body += piece
            transport.stats.add(received=len(piece))
            if len(body) > most:
                body = body[: body.rfind(b"\n", 0, most) + 1]
                break
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise transport.explain(error, seconds) from error
    finally:
        # A connection in the middle of an answer cannot be used again.
        answer.close()
    return body.decode("utf-8", "replace")
