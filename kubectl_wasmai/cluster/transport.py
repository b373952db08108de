"""Requests to one API server: sent, answered whole, asked again where that is safe.

They go through the pool of the client library, but not through its ``request``: that retries a
silent server four times, follows redirects with credentials and rewrites TLS errors.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec
import urllib3

from kubectl_wasmai import __version__
from kubectl_wasmai.cluster import pool, statuses, tls, unreachable
from kubectl_wasmai.cluster.credentials import Credentials
from kubectl_wasmai.errors import Interrupted, KubeconfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from kubectl_wasmai.cluster.target import Target
    from kubectl_wasmai.errors import ClusterUnreachable

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0  # between two pieces of an answer, when no --request-timeout is given
_CHUNK = 1 << 16
_RETRIES = 3
_MOST_SECONDS_TO_WAIT = 10.0
RETRIED = frozenset({429, 500, 502, 503, 504})


@dataclass
class RequestStats:
    """What the cluster was asked: requests sent, and bytes of decoded answers."""

    requests: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, requests: int = 0, received: int = 0) -> None:
        with self._lock:
            self.requests += requests
            self.bytes += received


@dataclass(frozen=True)
class Response:
    """A whole answer of status 2xx."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    place: str = ""

    def json(self) -> Any:
        """The decoded body. Raises ClusterUnreachable when it is no JSON."""
        return statuses.as_json(self.body, self.place)


@dataclass(frozen=True)
class _Request:
    """What goes out, but for the credentials; ``seconds`` is the timeout, for messages."""

    method: str
    url: str
    data: bytes | None
    headers: Mapping[str, str]
    limits: urllib3.Timeout
    seconds: float | None


class Transport:
    """Sends requests as the target's user, again where that is safe, and explains failures."""

    def __init__(self, target: Target, timeout: float | None, warn: Callable[[str], None]) -> None:
        self.target = target
        self.stats = RequestStats()
        self.timeout = timeout
        self._warn = warn
        self._credentials = Credentials(target, warn)
        self._identity: tuple[bytes, bytes] | None = None
        self._lock = threading.Lock()
        self._pool = pool.pool(target)

    def close(self) -> None:
        self._pool.clear()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float | None = None,
        busy: Collection[int] = RETRIED,
    ) -> Response:
        """Send and read whole. ``body`` is bytes, or made JSON; ``timeout`` in seconds, 0 for none.

        After an answer whose status is one of ``busy`` it is asked again up to three times, after
        the pause that its Retry-After names.
        Raises ClusterUnreachable, or the ApiError of the answer.
        """
        limit = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + limit if limit else None
        answer = self._ask(
            method,
            path,
            deadline,
            query=query,
            body=body,
            content_type=content_type,
            accept=accept,
            timeout=limit,
            busy=busy,
        )
        data = b"".join(self._pieces(answer, deadline, limit))
        return Response(answer.status, answer.headers, data, self.target.place)

    def stream(self, path: str, *, query: Iterable[tuple[str, str]] = ()) -> Iterator[bytes]:
        """GET, as ``request`` does it: the answer in pieces, as they come.

        Raises ``Interrupted`` where it breaks off; what came before is then no whole answer.
        """
        deadline = time.monotonic() + self.timeout if self.timeout else None
        answer = self._ask("GET", path, deadline, query=query, timeout=self.timeout)
        yield from self._pieces(answer, deadline, self.timeout)

    def _ask(
        self,
        method: str,
        path: str,
        deadline: float | None,
        *,
        busy: Collection[int] = RETRIED,
        **given: Any,
    ) -> urllib3.BaseHTTPResponse:
        """An answer of status 2xx, its body not read yet; asked for again while that is safe."""
        attempt = 0
        while True:
            answer = self.open(method, path, **given)
            if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer
            data = b"".join(self._pieces(answer, deadline, given["timeout"]))
            wait = None
            if answer.status in busy:
                wait = _before_retry(method, answer, attempt, deadline)
            if wait is None:
                raise self._error(answer, data, f"{method} {path}")
            time.sleep(wait)
            attempt += 1

    def open(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float | None = None,
        read_timeout: float | None = None,
        compress: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """Send once; the answer's body is not read yet. Raises ClusterUnreachable."""
        headers = {"Accept": accept, "User-Agent": f"kubectl-wasmai/{__version__}"}
        if body is not None:
            headers["Content-Type"] = content_type
        if compress and not self.target.disable_compression:
            headers["Accept-Encoding"] = "gzip"
        request = _Request(
            method,
            self._url(path, query),
            body if body is None or isinstance(body, bytes) else msgspec.json.encode(body),
            headers,
            _limits(timeout, read_timeout),
            timeout,
        )
        answer = self._send(request)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._credentials.renew():
            answer.drain_conn()
            answer = self._send(request)
        for text in statuses.warnings_in(answer.headers.getlist("Warning")):
            self._warn(text)
        return answer

    def explain(self, error: Exception, seconds: float | None = None) -> ClusterUnreachable:
        return unreachable.explain(error, self.target, seconds)

    def error(self, answer: urllib3.BaseHTTPResponse, request: str) -> Exception:
        """The error of a streamed answer that is not 2xx."""
        return self._error(answer, b"".join(self._pieces(answer, None, None)), request)

    def _error(self, answer: urllib3.BaseHTTPResponse, data: bytes, request: str) -> Exception:
        return statuses.to_error(
            answer.status, answer.headers, data, request=request, place=self.target.place
        )

    def _url(self, path: str, query: Iterable[tuple[str, str]]) -> str:
        pairs = [(key, value) for key, value in query if value]
        tail = f"?{urlencode(pairs)}" if pairs else ""
        return f"{self.target.server}{quote(path, safe='/:%~.-_')}{tail}"

    def _send(self, request: _Request) -> urllib3.BaseHTTPResponse:
        sent = urllib3.HTTPHeaderDict(request.headers)
        authorization = self._credentials.authorization()
        if authorization:
            sent["Authorization"] = _as_header(authorization, "the credential")
        for name, value in self.target.impersonation.headers():
            sent.add(name, _as_header(value, name))
        self._present_certificate()
        for last in (request.method != "GET", True):
            self.stats.add(requests=1)
            try:
                return self._pool.urlopen(
                    request.method,
                    request.url,
                    body=request.data,
                    headers=sent,
                    timeout=request.limits,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except urllib3.exceptions.ProtocolError as error:
                # A kept connection may have been closed while idle: a read may go again, once.
                if last:
                    raise self.explain(error, request.seconds) from error
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise self.explain(error, request.seconds) from error
        raise AssertionError("unreachable: the last round returns or raises")

    def _present_certificate(self) -> None:
        """Make the pool use the client certificate of now; a plugin may have changed it."""
        if not self.target.secure:
            return
        identity = self._credentials.certificate()
        with self._lock:
            if identity == self._identity:
                return
            # A new context is a new pool key: connections of the old identity are not used again.
            self._pool.connection_pool_kw["ssl_context"] = tls.context(self.target, *identity)
            self._pool.clear()
            self._identity = identity

    def _pieces(
        self, answer: urllib3.BaseHTTPResponse, deadline: float | None, seconds: float | None
    ) -> Iterator[bytes]:
        """The body to its end, or an error: half an answer is never taken for whole."""
        try:
            for piece in answer.stream(_CHUNK, decode_content=True):
                self.stats.add(received=len(piece))
                yield piece
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            explained = self.explain(error, seconds)
            if isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError)):
                raise explained from error
            raise Interrupted(explained.message, explained.hint) from error
        except GeneratorExit:  # whoever reads wants no more: the rest must not stay in the pipe
            answer.close()
            raise
        answer.release_conn()


def _before_retry(
    method: str, answer: urllib3.BaseHTTPResponse, attempt: int, deadline: float | None
) -> float | None:
    """Seconds to wait before asking again; None for giving up."""
    named = answer.headers.get("Retry-After", "")
    if attempt >= _RETRIES:
        return None
    # A write is asked again only when the server says that it did not take it.
    if method != "GET" and not (answer.status == HTTPStatus.TOO_MANY_REQUESTS or named):
        return None
    wait = float(named) if named.isdigit() else 0.2 * 3**attempt
    if wait > _MOST_SECONDS_TO_WAIT:
        return None
    if deadline is not None and time.monotonic() + wait > deadline:
        return None
    return wait


def _limits(timeout: float | None, read_timeout: float | None) -> urllib3.Timeout:
    """``timeout`` None is the default policy, 0 no limit at all; seconds."""
    if timeout:
        return urllib3.Timeout(total=timeout, read=read_timeout)
    if timeout == 0:
        return urllib3.Timeout(connect=None, read=read_timeout)
    return urllib3.Timeout(connect=CONNECT_SECONDS, read=read_timeout or READ_SECONDS)


def _as_header(value: str, what: str) -> str:
    """``value`` as UTF-8 on the wire, as Go sends it. Raises KubeconfigError, without the value."""
    if not value.isprintable():
        raise KubeconfigError(
            f"{what} holds characters that no HTTP header may hold",
            "Check the kubeconfig for line breaks inside tokens and names.",
        )
    return value.encode().decode("latin-1")
