"""Controllers joined with their pods, and with the pods they could not make."""

from __future__ import annotations

from typing import Any

from builders import event, meta, pod_spec, runtime_class, snapshot
from examining import causes

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.snapshot import workload_views

NIGHTLY = "nightly"


def cron_job(runtime: str = "wasm", **spec: Any) -> dict[str, Any]:
    annotations = {"module.wasm.image/variant": "compat-smart"}
    template = {
        "metadata": {"annotations": annotations},
        "spec": {**pod_spec(runtime_class=runtime), "restartPolicy": "Never"},
    }
    job = {"spec": {"template": template}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(NIGHTLY),
        "spec": {"schedule": "* * * * *", "jobTemplate": job, **spec},
    }


def job(owner: dict[str, Any], number: int, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(f"{NIGHTLY}-{number}", owner=owner),
        "spec": owner["spec"]["jobTemplate"]["spec"],
        "status": status,
    }


def test_a_cron_job_whose_jobs_get_no_pod_is_broken_and_named_itself() -> None:
    owner = cron_job("wasm-misspelt")
    jobs = [job(owner, number) for number in (1, 2)]
    refusal = 'Error creating: pods is forbidden: RuntimeClass "wasm-misspelt" not found'

    report = examine(snapshot(owner, *jobs, event(jobs[0], "FailedCreate", refusal)))

    assert [str(each.subject) for each in report.diagnoses] == ["CronJob default/nightly"]
    assert causes(report) == ["runtimeclass-missing"]
    assert report.exit_code == 3


def test_jobs_that_ended_and_whose_pods_are_gone_refuse_nothing() -> None:
    owner = cron_job()
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}

    (view,) = workload_views(snapshot(owner, job(owner, 1, **ended)))

    assert (view.desired, view.refused) == (0, 0)


def test_a_cron_job_that_has_not_run_yet_is_judged_by_its_template() -> None:
    waiting = snapshot(cron_job("wasm-misspelt"), runtime_class())

    assert causes(examine(waiting)) == ["runtimeclass-missing"]


def test_a_suspended_cron_job_is_nobodys_trouble() -> None:
    suspended = snapshot(cron_job("wasm-misspelt", suspend=True), runtime_class())

    assert causes(examine(suspended)) == []


def test_a_job_that_ended_and_whose_pods_were_removed_lacks_none() -> None:
    alone = job(cron_job(), 1, succeeded=1)
    alone["metadata"]["ownerReferences"] = []

    (view,) = workload_views(snapshot(alone))

    assert (view.desired, view.refused) == (0, 0)


def test_a_daemon_set_that_selects_no_node_lacks_no_pod() -> None:
    daemon_set = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta("edge"),
        "spec": {"template": {"metadata": {}, "spec": pod_spec()}},
        "status": {"desiredNumberScheduled": 0},
    }

    (view,) = workload_views(snapshot(daemon_set))

    assert (view.desired, view.refused) == (0, 0)
