"""How registries ask who one is: basic authentication, or a token from a server of theirs.

Source: the token authentication specification of the distribution project.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from kubectl_wasmai.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import urllib3

    from kubectl_wasmai.image.registry.credentials import Credentials

_PARAMETER = re.compile(r'([a-zA-Z][\w-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_LARGEST_ANSWER = 1 << 20
OK = 200


@dataclass(frozen=True)
class Challenge:
    """What an answer with status 401 wants."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        return self.parameters.get("scope", "")


def parse_challenges(headers: Sequence[str]) -> list[Challenge]:
    """Read ``WWW-Authenticate`` headers, of one challenge each as registries send them."""
    found = []
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        parameters = {
            name.lower(): quoted.replace("\\", "") or plain
            for name, quoted, plain in _PARAMETER.findall(rest)
        }
        found.append(Challenge(scheme.lower(), parameters))
    return found


def authorize(
    pool: urllib3.PoolManager,
    registry: str,
    challenges: Sequence[Challenge],
    credentials: Credentials | None,
    *,
    plain_http: bool,
) -> str:
    """The Authorization header that answers, or an empty text where there is none.

    Raises RegistryError where the server of tokens refuses or is not to be trusted.
    """
    for challenge in challenges:
        if challenge.scheme == "bearer":
            return "Bearer " + _token(pool, registry, challenge, credentials, plain_http)
    basic = any(challenge.scheme == "basic" for challenge in challenges)
    return credentials.basic if basic and credentials and credentials.username else ""


def _token(
    pool: urllib3.PoolManager,
    registry: str,
    challenge: Challenge,
    credentials: Credentials | None,
    plain_http: bool,
) -> str:
    realm = challenge.parameters.get("realm", "")
    if urlsplit(realm).scheme not in (("http", "https") if plain_http else ("https",)):
        raise RegistryError(
            f"{registry} sends its users to {realm!r} for a token, which is not encrypted",
            "the registry's administrator must give it an https realm",
        )
    asked = [
        (key, challenge.parameters[key]) for key in ("service",) if key in challenge.parameters
    ]
    asked += [("scope", scope) for scope in challenge.scope.split()]
    if credentials and credentials.identity_token:
        form = [*asked, ("grant_type", "refresh_token"), ("client_id", "kubectl-wasmai")]
        form.append(("refresh_token", credentials.identity_token))
        answer = pool.request(
            "POST",
            realm,
            body=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    else:
        headers = {"Authorization": credentials.basic} if credentials else {}
        query = ("&" if "?" in realm else "?") + urlencode(asked) if asked else ""
        answer = pool.request("GET", realm + query, headers=headers)
    return _read_token(registry, answer, bool(credentials))


def _read_token(registry: str, answer: urllib3.BaseHTTPResponse, known: bool) -> str:
    try:
        document = json.loads(answer.data[:_LARGEST_ANSWER]) if answer.status == OK else {}
        token = str(document.get("token") or document.get("access_token") or "")
    except (ValueError, AttributeError):
        token = ""
    if not token:
        refused = "does not accept the stored credentials" if known else "lets nobody in unknown"
        raise RegistryError(
            f"{registry} {refused} (its server of tokens answered {answer.status})",
            f"log in: docker login {registry}, or podman login {registry}",
        )
    return token
