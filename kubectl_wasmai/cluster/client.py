"""The cluster as the rest of the tool sees it: get, list, apply, delete, watch, logs."""

from __future__ import annotations

import os
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from kubectl_wasmai import resources
from kubectl_wasmai.cluster import applying, asking
from kubectl_wasmai.cluster.listing import ListResult, read_list
from kubectl_wasmai.cluster.loading import SERVICE_ACCOUNT, load_target
from kubectl_wasmai.cluster.transport import RequestStats, Response, Transport
from kubectl_wasmai.cluster.watching import Watch, WatchEvent
from kubectl_wasmai.errors import ClusterUnreachable, InputError
from kubectl_wasmai.jsonlist import ItemDecoder, Typed
from kubectl_wasmai.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from kubectl_wasmai.cluster.applying import Applied, DryRun
    from kubectl_wasmai.cluster.connection import ConnectionOptions
    from kubectl_wasmai.cluster.target import Target

T = TypeVar("T")
Propagation = Literal["Background", "Foreground", "Orphan"]


def connect(
    options: ConnectionOptions,
    *,
    on_warning: Callable[[str], None] | None = None,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Cluster:
    """The cluster kubectl would choose. Sends nothing yet. Raises KubeconfigError."""
    target = load_target(options, environ, service_account)
    return Cluster(target, options.request_timeout, on_warning)


class Cluster:
    """One cluster, one identity. May be used from several threads at once.

    Methods that name one object use ``self.namespace`` where none is given; ``list`` and ``watch``
    then mean all namespaces. All raise ClusterUnreachable, KubeconfigError (a credential plugin
    that fails) and the ApiErrors.
    """

    def __init__(
        self,
        target: Target,
        timeout: float | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self.context = target.context
        self.namespace = target.namespace
        self.server = target.server
        self.warnings: list[str] = []
        """What the API and the credential plugin warned of, each text once."""
        self._on_warning = on_warning
        self._lock = threading.Lock()
        self._transport = Transport(target, timeout, self._warn)

    def __enter__(self) -> Cluster:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The object must not be used afterwards."""
        self._transport.close()

    @property
    def stats(self) -> RequestStats:
        return self._transport.stats

    def version(self) -> dict[str, Any]:
        """``GET /version``: ``gitVersion``, ``major``, ``minor`` and more."""
        return self._object(self.request("GET", "/version"))

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any]:
        """One object as decoded JSON. Raises NotFound."""
        return self._object(self.request("GET", self._path(resource, name, namespace)))

    def list(
        self,
        resource: Resource,
        type: type[T] | ItemDecoder[T],  # noqa: A002 - reads as what it is where it is called
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
        cached: bool = False,
        keep_texts: bool = False,
    ) -> ListResult[T]:
        """All objects decoded into ``type`` (a msgspec Struct, or dict); None: all namespaces.

        Whole or not at all. An object that does not fit ``type`` lands in ``undecodable``. As in
        every list of Kubernetes, the items carry neither ``kind`` nor ``apiVersion``. ``limit``
        objects a page, 0 for one page of all. ``cached`` is content with what the API server has
        in its cache (``resourceVersion=0``), without asking etcd how old that is.
        """
        query = _selectors(label_selector, field_selector)
        query.append(("resourceVersion", "0" if cached else ""))
        decoder = type if isinstance(type, ItemDecoder) else Typed(type)
        path = resource.path(namespace or None)
        return read_list(self._transport, path, decoder, query, limit, keep_texts=keep_texts)

    def apply(
        self,
        manifest: dict[str, Any],
        *,
        dry_run: DryRun = "none",
        force_conflicts: bool = False,
    ) -> Applied:
        """Server-side apply as ``kubectl-wasmai``; into ``self.namespace`` where it names none.

        Raises Conflict naming the fields other managers own, Invalid, InputError for a manifest
        without kind or name.
        """
        metadata = manifest.get("metadata") or {}
        if not metadata.get("name"):
            raise InputError("the manifest has no metadata.name", "Give the object a name.")
        resource = self._resource(manifest)
        path = self._path(resource, metadata["name"], metadata.get("namespace"))
        return applying.apply(
            self._transport, path, manifest, dry_run=dry_run, force_conflicts=force_conflicts
        )

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        dry_run: DryRun = "none",
        propagation: Propagation = "Background",
    ) -> None:
        """Ask for the deletion and return; finalizers may take longer. Raises NotFound."""
        options: dict[str, Any] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": propagation,
        }
        if dry_run == "server":
            options["dryRun"] = ["All"]
        self.request("DELETE", self._path(resource, name, namespace), body=options)

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        name: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        timeout: float,
    ) -> Iterator[WatchEvent]:
        """Changes for ``timeout`` seconds, through closed connections and expired versions.

        Without ``resource_version`` it begins with ADDED for all that exists. With one, objects
        that existed then may come as ADDED again if that version expires. Raises
        ClusterUnreachable when the server stays silent for 30 s.
        """
        if name:
            one = f"metadata.name={name}"
            field_selector = f"{field_selector},{one}" if field_selector else one
        query = _selectors(label_selector, field_selector)
        watch = Watch(self._transport, resource, namespace or None, query, timeout)
        return watch.events(resource_version)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail_lines: int | None = 200,
        limit_bytes: int = 262144,
        timestamps: bool = True,
    ) -> str:
        """A container's log, at most ``limit_bytes`` bytes, of its last lines or, for None, from
        its beginning; bad UTF-8 is replaced.

        Raises NotFound, and Invalid while the container has no log yet.
        """
        query = [
            ("container", container),
            ("previous", "true" if previous else ""),
            ("tailLines", "" if tail_lines is None else str(tail_lines)),
            ("limitBytes", str(limit_bytes)),
            ("timestamps", "true" if timestamps else ""),
        ]
        path = f"{resources.POD.path(namespace, pod)}/log"
        # A kubelet that cannot be reached is a 500 of the API server: it is not asked again.
        answer = self._transport.request(
            "GET", path, query=query, accept="*/*", busy=(HTTPStatus.TOO_MANY_REQUESTS,)
        )
        return answer.body.decode("utf-8", "replace")

    def proxy(
        self, namespace: str, pod: str, port: int, path: str, *, most: int, timeout: float
    ) -> str:
        """What a pod answers on a port, through the API server; cut after ``most`` bytes.

        Raises Forbidden where the right ``get pods/proxy`` is missing (or the pod itself says
        so), and ApiError or ClusterUnreachable for whatever else comes instead.
        """
        whole = f"{resources.POD.path(namespace, f'{pod}:{port}')}/proxy{path}"
        return asking.through_proxy(self._transport, whole, most, timeout)

    def serves(self, resource: Resource) -> bool:
        """Whether the server has this kind in this version; True where it does not tell."""
        return asking.serves(self._transport, resource)

    def can_i(
        self, verb: str, resource: Resource, namespace: str | None = None, subresource: str = ""
    ) -> bool:
        """Whether we may, as ``kubectl auth can-i`` asks; None: in all namespaces."""
        body = asking.review(resource, verb, namespace, subresource)
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._object(self.request("POST", path, body=body))
        return bool(answer.get("status", {}).get("allowed", False))

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
    ) -> Response:
        """The one low-level door: any request, its answer read whole. ``timeout`` in seconds."""
        return self._transport.request(
            method,
            path,
            query=tuple(query),
            body=body,
            content_type=content_type,
            accept=accept,
            timeout=timeout,
        )

    def _path(self, resource: Resource, name: str, namespace: str | None) -> str:
        namespace = namespace or self.namespace
        for what, segment in (("name", name), ("namespace", namespace)):
            # An empty or dotted name would address something else: a DELETE of "" means all.
            if segment in ("", ".", "..") or "/" in segment or "%" in segment:
                raise InputError(
                    f"{segment!r} is no valid {what} of a {resource.kind}",
                    "Kubernetes allows lower-case letters, digits, '-' and '.'.",
                )
        return resource.path(namespace, name)

    def _resource(self, manifest: dict[str, Any]) -> Resource:
        """The resource of a manifest: ours, or as the cluster's discovery names it."""
        kind, api_version = manifest.get("kind", ""), manifest.get("apiVersion", "")
        if not kind or not api_version:
            raise InputError("the manifest has no kind or apiVersion", "Write both at its top.")
        known = resources.BY_KIND.get(kind)
        if known is not None and known.api_version == api_version:
            return known
        group, _, version = api_version.rpartition("/")
        root = f"/apis/{api_version}" if group else f"/api/{api_version}"
        for served in self._object(self.request("GET", root)).get("resources", ()):
            if served["kind"] == kind and "/" not in served["name"]:
                return Resource(kind, served["name"], group, version, served["namespaced"])
        raise InputError(
            f"the cluster serves no kind {kind!r} in {api_version}",
            "`kubectl api-resources` lists what it serves.",
        )

    def _object(self, answer: Response) -> dict[str, Any]:
        decoded = answer.json()
        if not isinstance(decoded, dict):
            raise ClusterUnreachable(
                f"{self.server} answered with {type(decoded).__name__}, not with an object",
                "Is this a Kubernetes API server, and no proxy before one?",
            )
        return decoded

    def _warn(self, text: str) -> None:
        with self._lock:
            new = text not in self.warnings
            if new:
                self.warnings.append(text)
        if new and self._on_warning is not None:
            self._on_warning(text)


def _selectors(label_selector: str, field_selector: str) -> list[tuple[str, str]]:
    return [("labelSelector", label_selector), ("fieldSelector", field_selector)]
