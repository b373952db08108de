from __future__ import annotations

import pytest
from deploy_builders import CREATED_SECONDS, event, pod, raw_event

from kubectl_wasmai.deploy.events import Event, parse_event, parse_time
from kubectl_wasmai.deploy.timeline import Timeline, footnotes, rows, timeline

OWNER = [event("SuccessfulCreate", "Created pod: web-new-x", uid="uid-web-new", after=0.2)]
READY_AT = CREATED_SECONDS + 2.5


def started(*, pulled: bool = True) -> list[Event]:
    pulling = [event("Pulling", after=0.5)] if pulled else []
    return [
        event("Scheduled", after=0.25),
        *pulling,
        event("Pulled", after=0.75),
        event("Created", after=0.875),
        event("Started", after=1.0),
    ]


def cells(*lines: Timeline) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in rows(lines)[1]}


def test_every_stage_is_measured_between_its_events() -> None:
    line = timeline(pod(ready=True), started(), OWNER, READY_AT)

    assert cells(line) == {
        "scheduled": ["0.050"],
        "sandbox": ["0.250"],
        "image pull": ["0.250"],
        "create": ["0.125"],
        "start": ["0.125"],
        "ready": ["1.500"],
        "total": ["2.300"],
    }


def test_an_image_on_the_node_is_said_to_be_present() -> None:
    line = timeline(pod(ready=True), started(pulled=False), OWNER, READY_AT)

    assert cells(line)["image pull"] == ["present"]
    assert cells(line)["sandbox"] == ["0.500"]
    assert not any(note.startswith("-") for note in footnotes([line]))


def test_what_has_no_event_is_left_open_and_never_zero() -> None:
    line = timeline(pod(ready=True), [], OWNER, READY_AT)

    assert cells(line)["start"] == ["-"]
    assert "-: no event about it could be read." in footnotes([line])


def test_without_the_controllers_event_creation_is_known_to_the_second() -> None:
    line = timeline(pod(ready=True), started(), [], READY_AT)

    assert cells(line)["total"] == ["~2"]
    assert "~: only known to the second." in footnotes([line])


def test_a_client_whose_clock_is_wrong_is_not_believed() -> None:
    line = timeline(pod(ready=True), started(), OWNER, READY_AT + 3600)

    assert cells(line)["ready"] == ["~1"]


def test_a_readiness_nobody_watched_is_known_to_the_second() -> None:
    assert cells(timeline(pod(ready=True), started(), OWNER, None))["ready"] == ["~1"]


def test_clocks_that_disagree_are_told() -> None:
    late = [event("Scheduled", after=5.0), event("Pulled", after=1.0)]

    assert cells(timeline(pod(ready=True), late, OWNER, READY_AT))["sandbox"] == ["clocks differ"]


def test_several_pods_show_median_and_slowest() -> None:
    one = timeline(pod(ready=True), started(), OWNER, READY_AT)
    slow = timeline(pod(ready=True), started(), OWNER, READY_AT + 1)

    assert rows([one, slow])[0] == ["STAGE", "MEDIAN", "SLOWEST"]
    assert cells(one, slow)["total"] == ["2.800", "3.300"]


def test_an_events_name_is_believed_only_next_to_its_second() -> None:
    raw = raw_event("Started", after=1.25)
    far = {**raw, "firstTimestamp": "2026-11-23T08:00:00Z"}
    odd = {**raw, "metadata": {"name": "web-new-x.0123456789abcdef"}}

    named = parse_event(raw).first
    assert named is not None
    assert named.exact
    assert named.seconds == pytest.approx(CREATED_SECONDS + 1.25, abs=1e-3)
    assert parse_event(far).first == (CREATED_SECONDS - 5400, False)
    assert parse_event(odd).first == (CREATED_SECONDS + 1, False)


def test_the_schedulers_events_carry_microseconds() -> None:
    raw = {"reason": "Scheduled", "eventTime": "2026-11-23T09:30:00.125000Z"}

    assert parse_event(raw).first == (CREATED_SECONDS + 0.125, True)
    assert parse_event(raw).last == CREATED_SECONDS + 0.125


def test_a_repeated_event_is_as_new_as_its_last_time() -> None:
    series = {"count": 3, "lastObservedTime": "2026-11-23T09:30:09.5Z"}

    assert parse_event({**raw_event("Unhealthy"), "series": series}).last == CREATED_SECONDS + 9.5


def test_times_of_nine_digits_are_read_and_nonsense_is_none() -> None:
    assert parse_time("2026-11-23T09:30:00.123456789Z") == CREATED_SECONDS + 0.123456
    assert parse_time("yesterday") is None
    assert parse_time(None) is None
