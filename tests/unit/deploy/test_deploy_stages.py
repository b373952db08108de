from __future__ import annotations

from typing import Any

import pytest
from deploy_builders import event, pod, waiting

from kubectl_wasmai.deploy.stages import Stage, view

Json = dict[str, Any]


def unscheduled() -> Json:
    fresh = pod()
    del fresh["spec"]["nodeName"]
    fresh["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    ]
    return fresh


def test_a_pod_without_a_node_says_what_the_scheduler_said() -> None:
    seen = view(unscheduled())

    assert (seen.stage, seen.reason) == (Stage.UNSCHEDULED, "0/1 nodes are available")
    assert not seen.final


@pytest.mark.parametrize(
    ("reasons", "stage"),
    [
        ([], Stage.SANDBOX),
        (["Scheduled"], Stage.SANDBOX),
        (["Scheduled", "Pulling"], Stage.PULLING),
        (["Scheduled", "Pulling", "Pulled"], Stage.CREATING),
        (["Scheduled", "Pulled", "Created"], Stage.STARTING),
    ],
)
def test_between_scheduling_and_start_the_events_tell_the_stage(
    reasons: list[str], stage: Stage
) -> None:
    events = [event(reason, after=number) for number, reason in enumerate(reasons)]

    assert view(pod(), events).stage is stage


def test_events_of_other_pods_say_nothing() -> None:
    assert view(pod(), [event("Pulling", uid="another")]).stage is Stage.SANDBOX


def test_a_missing_handler_is_final() -> None:
    text = 'no runtime for "wasmedge" is configured'
    seen = view(pod(), [event("FailedCreatePodSandBox", text)])

    assert seen.stage is Stage.SANDBOX
    assert seen.final
    assert text in seen.reason


def test_any_other_sandbox_failure_may_pass() -> None:
    seen = view(pod(), [event("FailedCreatePodSandBox", "plugin cni: timeout")])

    assert not seen.final


def test_a_running_module_waits_for_its_probe_in_the_probes_words() -> None:
    running = pod(state={"running": {"startedAt": "2026-11-23T09:30:01Z"}})
    refused = event("Unhealthy", "Startup probe failed: connection refused", after=3)

    assert view(running, [refused]).reason == "Startup probe failed: connection refused"
    assert view(running, [refused]).stage is Stage.RUNNING


def test_a_probes_failure_before_the_restart_is_old_news() -> None:
    running = pod(state={"running": {"startedAt": "2026-11-23T09:31:00Z"}})

    assert view(running, [event("Unhealthy", "Startup probe failed: x", after=3)]).reason == ""


def test_ready_is_ready() -> None:
    assert view(pod(ready=True)).stage is Stage.READY


@pytest.mark.parametrize(
    "reason", ["ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"]
)
def test_what_follows_from_the_manifest_is_final(reason: str) -> None:
    assert view(waiting(reason, f"{reason}: some explanation")).final


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("failed to resolve reference: example.test/x:1: not found", True),
        ("no match for platform in manifest: not found", True),
        ("pull access denied, repository does not exist", True),
        ("dial tcp: lookup example.test: i/o timeout", False),
        ("connect: connection refused", False),
    ],
)
def test_a_pull_is_given_up_only_on_the_registrys_word(text: str, final: bool) -> None:
    seen = view(waiting("ImagePullBackOff", f'Back-off pulling image "x:1": ErrImagePull: {text}'))

    assert seen.stage is Stage.PULLING
    assert seen.final is final


def test_old_kubelets_say_why_a_pull_failed_only_in_events() -> None:
    told = 'Failed to pull image "x:1": not found'
    events = [event("Failed", told), event("Failed", "Error: ErrImagePull", after=2)]
    seen = view(waiting("ImagePullBackOff", 'Back-off pulling image "x:1"'), events)

    assert seen.final


@pytest.mark.parametrize(("restarts", "final"), [(1, False), (2, True), (9, True)])
def test_a_crash_is_a_habit_from_the_second_restart_on(restarts: int, final: bool) -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    seen = view(waiting("CrashLoopBackOff", "back-off", restartCount=restarts, lastState=ended))

    assert (seen.stage, seen.reason) == (Stage.CRASHING, "Error, exit code 1")
    assert (seen.restarts, seen.final) == (restarts, final)


def test_an_exit_code_of_0_is_not_believed() -> None:
    seen = view(pod(state={"terminated": {"exitCode": 0, "reason": "Completed"}}))

    assert seen.stage is Stage.CRASHING
    assert "crun hides its exit code" in seen.reason


def test_a_pod_that_is_being_deleted_is_terminating() -> None:
    leaving = pod(ready=True)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T09:31:00Z"

    assert view(leaving).stage is Stage.TERMINATING


def test_an_evicted_pod_says_so() -> None:
    evicted = pod()
    evicted["status"].update(phase="Failed", reason="Evicted", message="low on memory")

    assert view(evicted).reason == "Evicted: low on memory"


def test_an_empty_pod_is_no_problem() -> None:
    assert view({}).stage is Stage.UNSCHEDULED


def test_texts_of_the_cluster_are_cleaned() -> None:
    assert "\x1b" not in view(waiting("CreateContainerError", "\x1b[2J bad \x1b]0;x\x07")).reason
