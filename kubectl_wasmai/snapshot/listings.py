"""Lists every kind that a snapshot holds: one request each, several at a time."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kubectl_wasmai import resources
from kubectl_wasmai.errors import ApiError, Forbidden, NotFound
from kubectl_wasmai.heap import no_garbage_collection
from kubectl_wasmai.snapshot.events import EventKeys, PackedEvents
from kubectl_wasmai.snapshot.model import Denied, Unreadable
from kubectl_wasmai.snapshot.objects import TYPES, Object
from kubectl_wasmai.snapshot.sharing import SharingDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from concurrent.futures import Executor

    from kubectl_wasmai.cluster import Cluster, ListResult
    from kubectl_wasmai.jsonlist import ItemDecoder, Text
    from kubectl_wasmai.resources import Resource

FROM_CACHE = frozenset({resources.POD})
"""Read as the API server has it in its cache, which may be some milliseconds old. Nobody writes
the state of pods but kubelets, and those report late, too; what people write is read as it is."""

_LONGEST = (resources.POD, resources.EVENT)


@dataclass(frozen=True)
class Listing:
    """All objects of one kind, or why there are none. ``texts`` are the whole objects."""

    resource: Resource
    objects: Collection[Object] | None
    texts: tuple[Text, ...] = ()
    denied: Denied | None = None
    unreadable: tuple[Unreadable, ...] = ()
    is_served: bool = True


def list_kinds(
    cluster: Cluster,
    namespace: str | None,
    pool: Executor,
    done: Callable[[Resource], None],
    meanwhile: Callable[[], None],
    *,
    keep_texts: bool,
) -> list[Listing]:
    """In the order of the vocabulary; ``done`` is told of each, from the threads of the pool.
    ``meanwhile`` is called when all is asked and nothing has come yet."""
    kinds = [each for each in resources.ALL if each.kind in TYPES]
    # msgspec works out a type when it first meets it, which is not safe in several threads at
    # once (0.22: a crash): all types are met here, before there are any.
    decoders = {version: _decoder(version) for each in kinds for version in _versions(each)}

    def fetch(resource: Resource) -> Listing:
        scope = namespace if resource.namespaced else None
        listing = _list(cluster, resource, decoders, scope, keep_texts=keep_texts)
        done(resource)
        return listing

    with no_garbage_collection():
        begun = {
            each: pool.submit(fetch, each)
            for each in sorted(kinds, key=lambda each: each not in _LONGEST)
        }
        meanwhile()
        return [begun[each].result() for each in kinds]


def _versions(resource: Resource) -> Iterator[Resource]:
    """The kind in the version that is asked for first, then in those that older servers have."""
    version: Resource | None = resource
    while version is not None:
        yield version
        version = version.previous


def _decoder(resource: Resource) -> ItemDecoder[Any]:
    if resource is resources.EVENT:
        return EventKeys()
    return SharingDecoder(TYPES[resource.kind], resource.kind, resource.api_version)


def _list(
    cluster: Cluster,
    resource: Resource,
    decoders: Mapping[Resource, ItemDecoder[Any]],
    scope: str | None,
    *,
    keep_texts: bool,
) -> Listing:
    for version in _versions(resource):
        try:
            return _list_version(cluster, version, decoders[version], scope, keep_texts=keep_texts)
        except NotFound:
            continue
        except Forbidden:
            # Rights are looked at before the path: it may be refused and not exist at all.
            if cluster.serves(version):
                denied = Denied("list", _rbac_name(resource), scope or "")
                return Listing(version, None, denied=denied)
        except ApiError as error:
            # A metrics server that is down must not hide the whole cluster: the API server
            # answers for it with 503.
            if (
                resource is resources.POD_METRICS
                and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            ):
                return Listing(version, None)
            raise
    # What the server does not serve in any version, it has none of: absent, not missing.
    return Listing(resource, (), is_served=False)


def _list_version(
    cluster: Cluster,
    resource: Resource,
    decoder: ItemDecoder[Any],
    scope: str | None,
    *,
    keep_texts: bool,
) -> Listing:
    packs = resource is resources.EVENT
    found: ListResult[Any] = cluster.list(
        resource,
        decoder,
        scope,
        limit=0,
        cached=resource in FROM_CACHE,
        keep_texts=keep_texts or packs,
    )
    return Listing(
        resource,
        PackedEvents(found.texts, found.items) if packs else in_order(found.items),
        found.texts if keep_texts else (),
        unreadable=tuple(
            Unreadable(f"{resource.kind} {name}", reason) for name, reason in found.undecodable
        ),
    )


def in_order(objects: Iterable[Object]) -> tuple[Object, ...]:
    """By namespace and name: a report must not depend on the order of an answer or of files."""
    return tuple(sorted(objects, key=lambda one: (one.namespace, one.name)))


def _rbac_name(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural
