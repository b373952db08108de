"""Where the seconds of a pod's start went. Pure: pod, events and the moment of readiness in.

Three clocks take part: the controller's and scheduler's (creation, scheduling), the kubelet's
(pulling to started) and this machine's (ready). A stage that comes out negative shows that they
disagree and is marked, never rounded away.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.events import Event, parse_time
from kubectl_wasmai.deploy.stages import condition
from kubectl_wasmai.startup import STAGES, Moment, Span, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRESENT = "present"

_SKEW_SECONDS = 0.05
_READY_SLACK_SECONDS = 3.0


@dataclass(frozen=True)
class Timeline:
    """The stages of one pod's start. ``None``: an end of it was not recorded."""

    pod: str
    spans: Mapping[str, Span | None]
    image_present: bool = False


def timeline(
    pod: Mapping[str, Any],
    pod_events: Sequence[Event],
    owner_events: Sequence[Event],
    ready_at: float | None,
) -> Timeline:
    """From the pod's events, its ReplicaSet's, and when this client saw it ready (epoch)."""
    name = str(pod["metadata"]["name"])
    first = {event.reason: event.first for event in reversed(pod_events)}
    created = _created(pod, name, owner_events)
    stages = spans(first, created, _ready(pod, ready_at))
    present = first.get("Pulled") is not None and first.get("Pulling") is None
    return Timeline(name, stages, image_present=present)


def rows(timelines: Sequence[Timeline]) -> tuple[list[str], list[list[str]]]:
    """Headers and cells: one column of seconds for one pod, median and slowest for several."""
    if len(timelines) == 1:
        only = timelines[0]
        return ["STAGE", "SECONDS"], [[stage, _cell([only], stage, median)] for stage in STAGES]
    body = [[s, _cell(timelines, s, median), _cell(timelines, s, max)] for s in STAGES]
    return ["STAGE", "MEDIAN", "SLOWEST"], body


def footnotes(timelines: Sequence[Timeline]) -> list[str]:
    """How far the numbers can be trusted, in lines of at most 80 columns."""
    all_spans = [span for line in timelines for span in line.spans.values()]
    notes = ["ready: when this client saw it; the probe asks once a second."]
    if any(line.spans["start"] for line in timelines):
        notes.insert(0, "scheduled to start: event times of the cluster, to the millisecond.")
    if any(span and not span.exact for span in all_spans):
        notes.append("~: only known to the second.")
    if any(
        span is None and not line.image_present
        for line in timelines
        for span in line.spans.values()
    ):
        notes.append("-: no event about it could be read.")
    return notes


def _cell(timelines: Sequence[Timeline], stage: str, pick: Any) -> str:
    found = [span for line in timelines if (span := line.spans[stage]) is not None]
    if found:
        value = float(pick([span.seconds for span in found]))
        return str(Span(value, all(span.exact for span in found)))
    if stage == "image pull" and any(line.image_present for line in timelines):
        return PRESENT
    return "-"


def _created(pod: Mapping[str, Any], name: str, owner_events: Sequence[Event]) -> Moment | None:
    """The ReplicaSet's event about this pod; the pod's own creation time is cut to the second."""
    for event in owner_events:
        if event.reason == "SuccessfulCreate" and event.message.endswith(f" {name}"):
            return event.first
    seconds = parse_time(pod["metadata"].get("creationTimestamp"))
    return None if seconds is None else Moment(seconds, exact=False)


def _ready(pod: Mapping[str, Any], ready_at: float | None) -> Moment | None:
    """The arrival of the news, if it agrees with the second that the kubelet wrote down."""
    recorded = parse_time(condition(pod, "Ready").get("lastTransitionTime"))
    if recorded is None:
        return None
    if ready_at is not None and -_SKEW_SECONDS <= ready_at - recorded <= _READY_SLACK_SECONDS:
        return Moment(ready_at, exact=True)
    return Moment(recorded, exact=False)
