from __future__ import annotations

import pytest
from builders import deployment, event, pod, pod_spec, runtime_class, snapshot
from examining import causes, result

from kubectl_wasmai.doctor import Options, Subject, examine
from kubectl_wasmai.doctor.model import Case, Check, Result, Severity, Status
from kubectl_wasmai.doctor.registry import all_checks
from kubectl_wasmai.doctor.runner import run_checks
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.snapshot.model import Denied


def check(id_: str, *, status: Status = Status.PASS, depends_on: tuple[str, ...] = ()) -> Check:
    web = Subject("Deployment", "default", "web")
    return Check(
        id_, id_, Severity.ERROR, (), lambda _: [Result(status, "because", web)], depends_on
    )


def test_a_check_is_not_judged_where_one_it_depends_on_failed() -> None:
    runs = run_checks(
        snapshot_case(),
        [check("second", depends_on=("first",)), check("first", status=Status.FAIL)],
    )

    assert [run.check.id for run in runs] == ["second", "first"]
    assert runs[0].results[0].status is Status.SKIP
    assert "first" in runs[0].results[0].reason


def test_checks_that_depend_on_each_other_in_a_circle_are_a_programming_error() -> None:
    with pytest.raises(AssertionError, match="circle"):
        run_checks(snapshot_case(), [check("a", depends_on=("b",)), check("b", depends_on=("a",))])


def snapshot_case() -> Case:
    return Case(snapshot(), ())


def test_ids_of_checks_are_unique_and_their_dependencies_exist() -> None:
    ids = [each.id for each in all_checks()]

    assert len(ids) == len(set(ids))
    assert {dependency for each in all_checks() for dependency in each.depends_on} <= set(ids)


def test_for_one_workload_others_are_left_out() -> None:
    broken = deployment("broken", spec=pod_spec(runtime_class="gone"))
    well = deployment("well")
    seen = snapshot(broken, well, pod("well-1", owner=well), runtime_class())

    report = examine(seen, Options(Subject("Deployment", "default", "well")))

    assert causes(report) == []
    assert str(result(report, "pod-running").subject) == "Deployment default/well"


def test_for_a_pod_means_the_workload_that_owns_it() -> None:
    web = deployment()

    report = examine(
        snapshot(web, pod("web-1", owner=web), runtime_class()),
        Options(Subject("Pod", "default", "web-1")),
    )

    assert str(result(report, "pod-running").subject) == "Deployment default/web"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (Options(only=("pod-runing",)), "pod-runing"),
        (Options(skip=("nothing",)), "nothing"),
        (Options(checklists=("before",)), "before"),
        (Options(subject=Subject("Deployment", "default", "none")), "none"),
    ],
)
def test_what_does_not_exist_is_refused_by_its_name(options: Options, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        examine(snapshot(deployment()), options)

    assert caught.value.hint


def test_a_check_that_lacks_a_right_is_unknown_and_names_the_right() -> None:
    denied = Denied("list", "runtimeclasses.node.k8s.io")

    report = examine(snapshot(deployment(), without=("RuntimeClass",), denied=(denied,)))

    answer = result(report, "runtimeclass-exists")
    assert answer.status is Status.UNKNOWN
    assert answer.needs.startswith("list runtimeclasses.node.k8s.io; the rule that grants it")


def test_a_kind_the_snapshot_lacks_makes_its_checks_unknown_and_says_how_to_get_it() -> None:
    report = examine(snapshot(deployment(), without=("RuntimeClass",)))

    assert "kubectl get runtimeclasses" in result(report, "runtimeclass-exists").needs


def test_strict_turns_warnings_and_unknowns_into_exit_code_four() -> None:
    web = deployment()
    report = examine(snapshot(web, pod(owner=web), runtime_class(), without=("Node",)))

    assert (report.exit_code, report.strict_exit_code) == (0, 4)


def test_timings_are_left_out_unless_asked_for_since_a_replay_must_give_the_same_bytes() -> None:
    seen = snapshot(deployment(), runtime_class())

    assert {each.duration_ms for each in examine(seen).checks} == {None}
    timed = [each.duration_ms for each in examine(seen, timings=True).checks if each.id in _IDS]
    assert all(duration is not None for duration in timed)


_IDS = {each.id for each in all_checks()}


def test_the_same_text_about_another_pod_is_no_more_evidence() -> None:
    web = deployment(replicas=3)
    pods = [pod(f"web-5d9-{name}", owner=web, ready=False) for name in ("bcdfg", "hjklm")]
    refused = 'no runtime for "crun" is configured for pod {}'
    said = [
        event(each, "FailedCreatePodSandBox", refused.format(each["metadata"]["name"]))
        for each in pods
    ]

    (diagnosis, *_) = examine(snapshot(web, *pods, *said, runtime_class())).diagnoses

    assert diagnosis.cause == "handler-not-configured"
    assert sum(each.source == "event" for each in diagnosis.evidence) == 1
