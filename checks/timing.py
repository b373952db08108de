"""Latency and cold start: questions that only a measurement answers.

A snapshot holds neither, so these are UNKNOWN and say how to measure. What it does hold is shown
as evidence under its right name: the stages of a pod's start, to the nanosecond from the names of
its events, and the timings that llama.cpp prints. Neither is the engine's cold start, and one line
is no percentile.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.health import condition, is_ready
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status, Subject
from kubectl_wasmai.snapshot import LogKey
from kubectl_wasmai.startup import Moment, Span, first_moment, spans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kubectl_wasmai.snapshot import ClusterSnapshot, WorkloadView
    from kubectl_wasmai.snapshot.objects import Event, Pod

PODS = 3
"""Whose start is shown; the rest start alike."""
TOKEN_TIME = re.compile(
    # llama.cpp's common/ and llama_perf_context_print; "prompt eval" is another quantity.
    r"(?<!prompt )eval time\s*=.*?(?P<ms>\d+(?:\.\d+)?) ms per token"
)


def latency(case: Case, view: WorkloadView) -> Result:
    wanted = f"{case.thresholds.max_latency * 1000:g} ms"
    return Result(
        Status.UNKNOWN,
        f"inference latency has not been measured (wanted: below {wanted})",
        view.subject,
        tuple(_token_times(case.snapshot, view))[-PODS:],
        needs="a load test from inside the cluster: 95th percentile after a warm-up, at the rate "
        "you expect",
    )


def _token_times(snapshot: ClusterSnapshot, view: WorkloadView) -> Iterator[Evidence]:
    for pod in view.pods:
        for container in pod.spec.containers or ():
            log = snapshot.logs.get(LogKey(pod.namespace, pod.name, container.name), "")
            found = [match for line in log.splitlines() if (match := TOKEN_TIME.search(line))]
            if found:
                about = f"{Subject('Pod', pod.namespace, pod.name)} [{container.name}]"
                yield Evidence("log", about, f"{found[-1]['ms']} ms for each further token")


def cold_start(case: Case, view: WorkloadView) -> Result:
    wanted = f"{case.thresholds.max_cold_start * 1000:g} ms"
    pods = [pod for pod in view.pods if is_ready(pod)]
    shown = (each for pod in pods if (each := _start(case.snapshot, pod)) is not None)
    evidence = tuple(each for each, _ in zip(shown, range(PODS), strict=False))
    return Result(
        Status.UNKNOWN,
        f"the engine's cold start has not been measured (wanted: below {wanted})",
        view.subject,
        evidence,
        needs="many starts of the module on a node that has the image: a pod's start takes a "
        "second or more, whatever runs in it",
    )


def _start(snapshot: ClusterSnapshot, pod: Pod) -> Evidence | None:
    """The stages of one pod's start that its events tell; ``None`` where they are gone."""
    subject = Subject("Pod", pod.namespace, pod.name)
    first: dict[str, Moment | None] = {}
    for event in snapshot.events_of(*subject):
        if event.involved_object.uid in (None, "", pod.metadata.uid):
            first.setdefault(event.reason or "", _moment(event))
    ready = condition(pod, "Ready")
    stages = spans(
        first,
        _second(pod.metadata.creation_timestamp),
        _second(ready.last_transition_time if ready else None),
    )
    told = [f"{name} {span} s" for name, span in stages.items() if span is not None and _fine(span)]
    return Evidence("event", str(subject), f"pod start: {', '.join(told)}") if told else None


def _fine(span: Span) -> bool:
    """Known better than a second; anything else would only look like a measurement."""
    return span.exact and not span.clocks_differ


def _moment(event: Event) -> Moment | None:
    first, micro = event.first_timestamp or event.event_time, event.event_time
    return first_moment(
        event.name,
        first.timestamp() if first else None,
        micro.timestamp() if micro else None,
    )


def _second(time: datetime | None) -> Moment | None:
    return Moment(time.timestamp(), exact=False) if time else None


CHECKS = (
    Check(
        "inference-latency",
        "Inference takes less than 50 ms",
        Severity.WARNING,
        (),
        per_workload(latency),
    ),
    Check(
        "cold-start",
        "A cold start takes less than 10 ms",
        Severity.WARNING,
        (),
        per_workload(cold_start),
    ),
)
