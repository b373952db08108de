"""Events by the object they are about.

Of a cluster's 60,000 events a doctor reads a few hundred: those of objects that are not well. So
a live snapshot keeps them as the text they came in, compressed, and decodes what it is asked for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.jsonlist import Typed, decode_items
from kubectl_wasmai.snapshot.objects import Event

if TYPE_CHECKING:
    import msgspec

    from kubectl_wasmai.jsonlist import Text

_EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)
_DECODED = 4
"""Texts, of some 200 events each, that stay decoded: neighbours are asked for one after another."""


class Key(NamedTuple):
    """Names the object that an event is about."""

    kind: str
    namespace: str
    name: str


def about(event: Event) -> Key:
    given = event.involved_object
    namespace = given.namespace or ("" if given.kind == "Node" else event.namespace)
    return Key(given.kind or "", namespace, given.name or "")


class Events(Collection[Event]):
    """Events that are found by the object they are about."""

    @abstractmethod
    def of(self, key: Key) -> tuple[Event, ...]:
        """Oldest first."""

    def __contains__(self, event: object) -> bool:
        return isinstance(event, Event) and event in self.of(about(event))


def indexed(events: Collection[Event]) -> Events:
    return events if isinstance(events, Events) else _EventIndex(events)


class _EventIndex(Events):
    """Of events that are all decoded."""

    def __init__(self, events: Collection[Event]) -> None:
        self._events = events
        self._found: dict[Key, list[Event]] = {}
        for event in events:
            self._found.setdefault(about(event), []).append(event)

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def of(self, key: Key) -> tuple[Event, ...]:
        return _in_time(self._found.get(key, ()))


class RewrittenEvents(Events):
    """The same events, each as ``rewrite`` makes it, when it is asked for."""

    def __init__(self, events: Collection[Event], rewrite: Callable[[Event], Event]) -> None:
        self._events = indexed(events)
        self._rewrite = rewrite

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return map(self._rewrite, self._events)

    def of(self, key: Key) -> tuple[Event, ...]:
        return tuple(map(self._rewrite, self._events.of(key)))


class PackedEvents(Events):
    """All events of a cluster, as text.

    ``keys`` has for each event the number that ``EventKeys`` gave it, in the order of the texts.
    """

    def __init__(self, texts: tuple[Text, ...], keys: Iterable[int]) -> None:
        self._texts = texts
        self._places = _places(texts, iter(keys))
        self._decoded: dict[int, list[Event]] = {}

    def __len__(self) -> int:
        return sum(text.items for text in self._texts)

    def __iter__(self) -> Iterator[Event]:
        for place in range(len(self._texts)):
            yield from self._decode(place)

    def of(self, key: Key) -> tuple[Event, ...]:
        return _in_time(
            event
            for place in self._places.get(hash(key), ())
            for event in self._remembered(place)
            if about(event) == key
        )

    def _remembered(self, place: int) -> list[Event]:
        if place not in self._decoded:
            if len(self._decoded) >= _DECODED:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[place] = self._decode(place)
        return self._decoded[place]

    def _decode(self, place: int) -> list[Event]:
        found, _ = decode_items(Typed(Event), self._texts[place].array)
        return found


def _places(texts: tuple[Text, ...], keys: Iterator[int]) -> dict[int, tuple[int, ...]]:
    """In which texts the events of each number are; equal answers are kept once."""
    places: dict[int, tuple[int, ...]] = {}
    same: dict[tuple[int, ...], tuple[int, ...]] = {}
    for place, text in enumerate(texts):
        for number in islice(keys, text.items):
            known = places.get(number, ())
            if place not in known:
                both = (*known, place)
                places[number] = same.setdefault(both, both)
    return places


class EventKeys:
    """Decodes events and keeps of each only a number that stands for the object it is about."""

    type = Event

    def __init__(self) -> None:
        self._events = Typed(Event)

    def many(self, array: bytes) -> list[int]:
        return [hash(about(event)) for event in self._events.many(array)]

    def one(self, item: msgspec.Raw) -> int:
        return hash(about(self._events.one(item)))


def _in_time(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda each: (each.last_seen or _EPOCH, each.name)))
