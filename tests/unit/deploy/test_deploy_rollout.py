from __future__ import annotations

from deploy_builders import deployment, event, pod, replica_set, waiting

from kubectl_wasmai.deploy.rollout import assess

SETS = [replica_set("web-old", revision="1"), replica_set()]


def test_a_finished_rollout_is_done() -> None:
    progress = assess(deployment(), SETS, [pod(ready=True)])

    assert progress.done
    assert (progress.ready, progress.desired) == (1, 1)


def test_ready_pods_of_the_old_replica_set_are_no_success() -> None:
    live = deployment(updatedReplicas=0)
    progress = assess(live, SETS, [pod("web-old-x", owner="web-old", ready=True)])

    assert not progress.done
    assert (progress.ready, progress.pods) == (0, ())


def test_a_status_of_the_generation_before_is_no_success() -> None:
    live = deployment(generation=2, observedGeneration=1)

    assert not assess(live, SETS, [pod(ready=True)]).done


def test_old_pods_that_are_still_there_are_waited_for() -> None:
    live = deployment()
    live["status"]["replicas"] = 2

    assert assess(live, SETS, []).waiting_for == "1 old pods are still there"


def test_pods_that_are_not_available_are_waited_for_one_by_one() -> None:
    live = deployment(replicas=2, availableReplicas=1)
    progress = assess(live, SETS, [pod(ready=True), pod("web-new-y")])

    assert progress.lines == ["web-new-y: creating sandbox"]
    assert not progress.hopeless


def test_no_replicas_are_quickly_ready() -> None:
    assert assess(deployment(replicas=0), SETS, []).done


def test_a_refused_pod_is_told_by_the_deployments_condition() -> None:
    live = deployment(
        updatedReplicas=0,
        conditions=[{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: x"}],
    )
    progress = assess(live, SETS, [])

    assert progress.lines == ["no pod could be created: exceeded quota: x"]
    assert not progress.hopeless  # quota can become free


def test_a_refused_pod_is_told_by_the_replica_sets_event() -> None:
    refused = event("FailedCreate", 'violates PodSecurity "restricted:latest"', uid="uid-web-new")
    progress = assess(deployment(updatedReplicas=0), SETS, [], [refused])

    assert "violates PodSecurity" in progress.hopeless


def test_a_refusal_of_the_generation_before_is_old_news() -> None:
    live = deployment(
        generation=2,
        observedGeneration=1,
        conditions=[
            {"type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity"}
        ],
    )

    assert not assess(live, SETS, []).hopeless


def test_a_missing_class_is_final_only_where_the_class_was_never_seen() -> None:
    text = 'pod rejected: RuntimeClass "wasm" not found'
    refused = event("FailedCreate", text, uid="uid-web-new")
    live = deployment(updatedReplicas=0)

    assert not assess(live, SETS, [], [refused]).hopeless
    assert text in assess(live, SETS, [], [refused], class_seen=False).hopeless


def test_one_pod_without_hope_ends_the_wait() -> None:
    live = deployment(replicas=2, availableReplicas=1)
    stuck = waiting("ErrImageNeverPull", "not present with pull policy of Never", name="web-new-y")

    assert assess(live, SETS, [pod(ready=True), stuck]).hopeless.startswith("web-new-y: pulling")


def test_a_pod_without_hope_does_not_undo_success() -> None:
    assert not assess(deployment(), SETS, [pod(ready=True), waiting("InvalidImageName")]).hopeless


def test_pods_on_their_way_out_are_not_counted() -> None:
    leaving = pod(ready=True)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T09:31:00Z"

    assert assess(deployment(), SETS, [leaving]).pods == ()


def test_without_the_right_to_read_replica_sets_all_pods_count() -> None:
    assert assess(deployment(), [], [pod(ready=True)]).ready == 1


def test_restarts_are_told() -> None:
    ended = {"terminated": {"exitCode": 1}}
    crashing = waiting("CrashLoopBackOff", restartCount=3, lastState=ended)
    progress = assess(deployment(availableReplicas=0), SETS, [crashing])

    assert progress.lines == ["web-new-x: crashing (3 restarts): Error, exit code 1"]
