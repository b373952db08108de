from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from deploy_builders import deployment, event, pod, raw_event, replica_set, waiting

from kubectl_wasmai.cluster import ListResult, WatchEvent
from kubectl_wasmai.deploy.summary import failure, success
from kubectl_wasmai.deploy.timeline import timeline
from kubectl_wasmai.deploy.wait import Arrivals, Follower, Outcome
from kubectl_wasmai.errors import ClusterUnreachable, Forbidden
from kubectl_wasmai.resources import DEPLOYMENT, EVENT, POD, REPLICA_SET, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.cluster import Cluster

Json = dict[str, Any]

READY = pod(ready=True)
UNREADY = deployment(availableReplicas=0)
SERVICE: Json = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}


@dataclass
class Replay:
    """A cluster that plays looks in turn and stays at the last; a look may be an error."""

    looks: list[tuple[Json | Exception, list[Json]]]
    changes: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    forbidden: tuple[Resource, ...] = ()
    watches: int = 0
    current: list[Json] = field(default_factory=list)

    def get(self, resource: Resource, name: str, namespace: str) -> Json:
        assert (resource, name, namespace) == (DEPLOYMENT, "web", "default")
        live, self.current = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(live, Exception):
            raise live
        return live

    def list(self, resource: Resource, *_: object, **selectors: str) -> ListResult[Json]:
        if resource in self.forbidden:
            raise Forbidden("no")
        if resource is EVENT:
            uid = selectors["field_selector"].removeprefix("involvedObject.uid=")
            found = [one for one in self.events if one["involvedObject"]["uid"] == uid]
            return ListResult(tuple(found))
        known = {REPLICA_SET: [replica_set()], POD: self.current}
        return ListResult(tuple(known[resource]), "1")

    def watch(self, *_: object, **__: object) -> Iterator[WatchEvent]:
        self.watches += 1
        yield from (WatchEvent("MODIFIED", change) for change in self.changes)


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_wasmai.deploy.wait.time.sleep", lambda _seconds: None)


def follow(replay: Replay, timeout: float = 60) -> tuple[Follower, Outcome]:
    follower = Follower(cast("Cluster", replay), "default", "web")
    return follower, follower.wait(timeout)


def test_a_finished_rollout_is_not_waited_for() -> None:
    replay = Replay([(deployment(), [READY])])
    _, outcome = follow(replay)

    assert outcome.progress.done
    assert replay.watches == 0


def test_a_pod_that_was_ready_before_has_no_start_up_to_tell() -> None:
    follower, outcome = follow(Replay([(deployment(), [READY])]))

    assert follower.timelines(outcome.progress) == []


def test_readiness_is_noted_when_the_watch_tells_it() -> None:
    replay = Replay([(UNREADY, [pod()]), (deployment(), [READY])], changes=[READY])
    follower, outcome = follow(replay)

    assert outcome.progress.done
    assert [line.pod for line in follower.timelines(outcome.progress)] == ["web-new-x"]


def test_pods_of_the_old_replica_set_have_no_start_up_to_tell() -> None:
    old = pod("web-old-x", owner="web-old", ready=True)
    replay = Replay([(UNREADY, [pod()]), (deployment(), [READY])], changes=[old])
    follower, outcome = follow(replay)

    assert [line.pod for line in follower.timelines(outcome.progress)] == ["web-new-x"]


def test_every_look_is_shown() -> None:
    replay = Replay([(UNREADY, [pod()]), (deployment(), [READY])])
    shown: list[str] = []
    follower = Follower(cast("Cluster", replay), "default", "web")
    follower.seen = lambda progress: shown.append(progress.waiting_for)
    follower.wait(60)

    assert shown == ["0 of 1 pods are available", ""]


def test_a_timeout_of_zero_looks_once() -> None:
    replay = Replay([(UNREADY, [pod()]), (deployment(), [READY])])
    _, outcome = follow(replay, 0)

    assert not outcome.progress.done
    assert replay.watches == 0


def test_hopeless_pods_end_the_wait_at_once() -> None:
    _, outcome = follow(Replay([(UNREADY, [waiting("ErrImageNeverPull", "not present")])]))

    assert "not present" in outcome.progress.hopeless


def test_a_negative_timeout_waits_on() -> None:
    replay = Replay([*([(UNREADY, [pod()])] * 5), (deployment(), [READY])])

    assert follow(replay, -1)[1].progress.done


def test_a_control_plane_that_restarts_is_waited_for() -> None:
    replay = Replay([(UNREADY, [pod()]), (ClusterUnreachable("gone"), []), (deployment(), [READY])])

    assert follow(replay)[1].progress.done


def test_a_control_plane_that_stays_away_is_an_error() -> None:
    with pytest.raises(ClusterUnreachable):
        follow(Replay([(ClusterUnreachable("gone"), [])]), 0)


def test_losing_the_right_to_look_is_an_error_at_once() -> None:
    with pytest.raises(Forbidden):
        follow(Replay([(Forbidden("no"), [])]))


def test_who_may_read_only_the_deployment_can_still_wait() -> None:
    replay = Replay(
        [(UNREADY, [pod()]), (deployment(), [READY])], forbidden=(POD, REPLICA_SET, EVENT)
    )

    assert follow(replay)[1].progress.done
    assert replay.watches == 0


def test_the_events_of_a_stuck_pod_give_the_reason() -> None:
    failed = raw_event("FailedCreatePodSandBox", 'no runtime for "crun" is configured')
    _, outcome = follow(Replay([(UNREADY, [pod()])], events=[failed]))

    assert 'no runtime for "crun" is configured' in outcome.progress.hopeless


def test_success_says_how_long_each_stage_took_and_how_to_reach_it() -> None:
    _, outcome = follow(Replay([(deployment(), [READY])]))
    arrivals = Arrivals(ready_at={"uid-web-new-x": 0.0}, pods={"uid-web-new-x": READY})
    line = timeline(READY, [event("Started")], [], None)
    text = success("web", "default", Outcome(outcome.progress, arrivals, 1), SERVICE, [line])

    assert text[0] == "web is ready: 1 of 1 pods ready"
    assert text[2] == "Start-up of web-new-x"
    assert "ready        ~1" in text
    assert text[-2:] == [
        "In the cluster:  http://web.default.svc:80",
        "From here:       kubectl port-forward -n default service/web 8080:80",
    ]
    assert max(len(one) for one in text) <= 80


def test_failure_names_the_first_pods_and_counts_the_others() -> None:
    pods = [waiting("ErrImagePull", "refused", name=f"web-new-{number}") for number in range(7)]
    replay = Replay([(deployment(replicas=7, availableReplicas=0), pods)])
    _, outcome = follow(replay, 0)
    error = failure("web", "default", outcome, 5)

    assert error.exit_code == 3
    assert "was not ready after 0s: 0 of 7 pods ready" in error.message
    assert "web-new-0: pulling image: ErrImagePull: refused" in error.message
    assert error.message.endswith("and 2 more like these")
    assert "kubectl wasmai delete web -n default" in error.hint


def test_failure_tells_whether_waiting_longer_could_have_helped() -> None:
    _, hopeless = follow(Replay([(UNREADY, [waiting("InvalidImageName", "bad name here")])]))
    _, once = follow(Replay([(UNREADY, [pod()])]), 0)

    assert "will not become ready" in failure("web", "default", hopeless, 60).message
    assert "is not ready: " in failure("web", "default", once, 0).message
