"""Requests to one registry: they are authorized, tried again, and fail with words."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3 import exceptions

from kubectl_wasmai.errors import RegistryError
from kubectl_wasmai.image.registry.authentication import authorize, parse_challenges
from kubectl_wasmai.image.registry.backoff import TEMPORARY, Backoff, Sleep
from kubectl_wasmai.image.registry.connection import (
    RegistryOptions,
    address,
    is_loopback,
    open_pool,
)
from kubectl_wasmai.image.registry.credentials import Credentials, find_credentials
from kubectl_wasmai.image.registry.refusal import UNAUTHORIZED, Answer, read_answer, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_wasmai.image.content import Content

_OK = range(200, 300)
_PLAIN_HTTP_SIGNS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""OpenSSL's words when the other side does not speak TLS at all."""


class Interrupted(Exception):
    """The connection broke, or the registry is in temporary trouble: another try may help."""

    def __init__(self, message: str, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Registry:
    """One registry. ``repository`` of the first request chooses among stored credentials."""

    def __init__(
        self, name: str, options: RegistryOptions | None = None, sleep: Sleep = time.sleep
    ) -> None:
        self.name = name
        self.options = options or RegistryOptions()
        self.sleep = sleep
        self._pool = open_pool(name, self.options)
        scheme = "http" if self.options.plain_http else "https"
        self._base = f"{scheme}://{address(name)}"
        self._credentials: Credentials | None = None
        self._looked_up = False
        self._headers: dict[str, str] = {}
        """Authorization header by scope, as the registry named it."""
        self._reached = False

    @property
    def plain_http(self) -> bool:
        """Whether it is spoken to without encryption."""
        return self._base.startswith("http:")

    def request(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        expect: Iterable[int] = _OK,
    ) -> Answer:
        """One small request, tried again where that may help; the answer has been read.

        ``path`` is below the repository, or a whole URL. Raises RegistryError for every status
        that is not expected.
        """
        backoff = Backoff(self.sleep)
        while True:
            try:
                response = self.send(method, repository, path, headers=headers, body=data)
                answer = read_answer(self.name, response)
            except (Interrupted, exceptions.HTTPError, OSError) as error:
                # A name that is wrong is wrong at once.
                asked = error.retry_after if isinstance(error, Interrupted) else None
                if not self._reached or not backoff.wait(asked):
                    raise self._unreachable(error) from error
                continue
            if answer.status in expect:
                return answer
            raise refusal(self.name, repository, answer)

    def send(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Content | bytes | None = None,
        seconds: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One request, tried once, authorized when the registry asks; the body is not read.

        Content is streamed, afresh each time it is sent. Raises Interrupted.
        """
        url = self.url(repository, path)
        scope = f"{method in ('GET', 'HEAD')} {repository}"
        own = dict(headers or {})
        for again in (False, True):
            authorization = self._headers.get(scope, "") if self._is_ours(url) else ""
            if authorization:
                own["Authorization"] = authorization
            answer = self._once(method, url, own, body, seconds)
            if answer.status != UNAUTHORIZED or again or not self._is_ours(url):
                return answer
            answer.drain_conn()
            header = self._authorize(repository, answer)
            if not header:
                return answer
            self._headers[scope] = header
        raise AssertionError("unreachable")

    def url(self, repository: str, path: str) -> str:
        """The whole URL of a path below a repository; Location headers are such paths, too."""
        if path.startswith(("http:", "https:", "/")):
            url = urljoin(f"{self._base}/", path)
            ours = urlsplit(self._base)
            # Behind a proxy that ends TLS, registries give addresses without it.
            if urlsplit(url).hostname == ours.hostname and not self.plain_http:
                url = urlsplit(url)._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()
            return url
        return f"{self._base}/v2/{repository}/{path}"

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).netloc == urlsplit(self._base).netloc

    def _once(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: Content | bytes | None,
        seconds: float | None,
    ) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=10.0, read=seconds) if seconds else None
        more = {"timeout": timeout} if timeout else {}
        try:
            answer = self._pool.request(
                method,
                url,
                body=body if body is None or isinstance(body, bytes) else body.pieces(),
                headers=headers,
                preload_content=False,
                **more,  # type: ignore[arg-type]
            )
        except (exceptions.HTTPError, OSError) as error:
            if self._should_try_plain_http(error):
                self._base = self._base.replace("https://", "http://", 1)
                return self._once(
                    method, url.replace("https://", "http://", 1), headers, body, seconds
                )
            self._raise_for_tls(error)
            raise Interrupted(_words(error)) from error
        self._reached = True
        if answer.status in TEMPORARY:
            retry_after = answer.headers.get("Retry-After")
            answer.drain_conn()
            raise Interrupted(f"it answered {answer.status} {answer.reason or ''}", retry_after)
        return answer

    def _authorize(self, repository: str, answer: urllib3.BaseHTTPResponse) -> str:
        if not self._looked_up:
            self._credentials = find_credentials(self.name, repository)
            self._looked_up = True
        challenges = parse_challenges(answer.headers.getlist("WWW-Authenticate"))
        try:
            return authorize(
                self._pool,
                self.name,
                challenges,
                self._credentials,
                plain_http=self.plain_http or is_loopback(self.name),
            )
        except (exceptions.HTTPError, OSError) as error:
            self._raise_for_tls(error)
            raise Interrupted(_words(error)) from error

    def _should_try_plain_http(self, error: Exception) -> bool:
        """A registry on this very machine often speaks plain HTTP, as docker allows it to."""
        unencrypted = any(sign in str(error) for sign in _PLAIN_HTTP_SIGNS)
        return not self.plain_http and not self._reached and unencrypted and is_loopback(self.name)

    def _raise_for_tls(self, error: Exception) -> None:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError):
            cause = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
            if isinstance(cause, str):
                cause = None
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise RegistryError(
                f"the certificate of {self.name} is not trusted: {cause.verify_message}",
                "trust its authority with --certificate-authority FILE, or put that file into "
                f"/etc/docker/certs.d/{self.name}/ca.crt",
            ) from error
        if cause is not None and any(sign in str(cause) for sign in _PLAIN_HTTP_SIGNS):
            raise RegistryError(
                f"{self.name} does not speak TLS",
                "if it really speaks plain HTTP, and the network is trusted: --plain-http",
            ) from error

    def _unreachable(self, error: Exception) -> RegistryError:
        return RegistryError(
            f"no usable answer from the registry {self.name}: {error}",
            "check its name and port, the network, and HTTPS_PROXY",
        )


def _words(error: Exception) -> str:
    """A connection error without the library's own wrapping."""
    cause: BaseException = error
    while isinstance(reason := getattr(cause, "reason", None), BaseException):
        cause = reason
    text = str(cause)
    # urllib3 puts the object's address in front: "<… object at 0x…>: text".
    return text.rpartition(">: ")[2] or type(cause).__name__
