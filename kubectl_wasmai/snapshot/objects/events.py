"""Events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.snapshot.objects.meta import Base, Object, Time

if TYPE_CHECKING:
    from datetime import datetime


class ObjectReference(Base, frozen=True):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    field_path: str | None = None


class EventSeries(Base, frozen=True):
    count: int = 0
    last_observed_time: Time | None = None


class Event(Object, frozen=True):
    involved_object: ObjectReference = ObjectReference()
    reason: str | None = None
    message: str | None = None
    type: str | None = None
    count: int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: EventSeries | None = None

    @property
    def last_seen(self) -> datetime | None:
        """The latest of the times that different event writers fill."""
        series = self.series.last_observed_time if self.series else None
        times = [series, self.last_timestamp, self.event_time, self.first_timestamp]
        return max((time for time in times if time), default=self.metadata.creation_timestamp)
