"""One finding of one object raises no alarm; it is always counted and named."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from builders import container, deployment, pod_spec, runtime_class, snapshot

from kubectl_wasmai.doctor import Report, Subject, examine
from kubectl_wasmai.doctor.checklist import shipped_checklists
from kubectl_wasmai.doctor.ignoring import ANNOTATION, parse_ignore
from kubectl_wasmai.doctor.model import Options
from kubectl_wasmai.report.as_html import as_html
from kubectl_wasmai.report.as_junit import as_junit
from kubectl_wasmai.report.as_markdown import as_markdown
from kubectl_wasmai.report.as_prometheus import as_prometheus
from kubectl_wasmai.report.as_sarif import as_sarif
from kubectl_wasmai.report.as_table import render, render_quiet

KNOWN = ("runtimeclass-missing", "runtimeclass-exists", "alert-rules")


def broken(*names: str, annotation: str | None = None) -> list[dict[str, Any]]:
    own = {ANNOTATION: annotation} if annotation else None
    spec = pod_spec(container(), runtime_class="gone")
    return [deployment(each, spec=spec, own_annotations=own) for each in names]


def examined(*ignores: str, objects: list[dict[str, Any]]) -> Report:
    rules = tuple(parse_ignore(each, KNOWN) for each in ignores)
    return examine(snapshot(*objects, runtime_class()), Options(ignores=rules))


def failing(report: Report) -> set[str]:
    return {str(each.subject) for each in report.checks if each.status.value == "FAIL"}


def test_an_ignored_cause_is_no_diagnosis_and_what_it_explains_does_not_fail() -> None:
    report = examined("runtimeclass-missing=Deployment/default/web", objects=broken("web"))

    assert report.diagnoses == ()
    assert report.exit_code == 0
    assert failing(report) == set()
    told = {each.id: each for each in report.ignored}
    assert told["runtimeclass-missing"].was == "certain"
    assert told["runtimeclass-exists"].was == "FAIL"
    assert {str(each.subject) for each in report.ignored} == {"Deployment default/web"}
    assert report.summary.ignored == len(report.ignored) >= 2


def test_the_same_finding_of_another_object_still_fails() -> None:
    report = examined("runtimeclass-missing=Deployment/default/web", objects=broken("web", "shop"))

    assert [str(each.subject) for each in report.diagnoses] == ["Deployment default/shop"]
    assert failing(report) == {"Deployment default/shop"}
    assert report.exit_code == 3


def test_an_ignored_check_alone_leaves_the_cause() -> None:
    report = examined("runtimeclass-exists=Deployment/default/web", objects=broken("web"))

    assert [each.cause for each in report.diagnoses] == ["runtimeclass-missing"]
    (told,) = report.ignored
    assert (told.id, told.was, told.by) == (
        "runtimeclass-exists", "FAIL", "--ignore runtimeclass-exists=Deployment/default/web",
    )  # fmt: skip
    (entry,) = (each for each in report.checks if each.id == "runtimeclass-exists")
    assert entry.status.value == "SKIP"
    assert entry.reason.startswith("ignored (--ignore runtimeclass-exists=")
    assert "FAIL: RuntimeClass gone does not exist" in entry.reason


def test_an_annotation_on_the_object_does_the_same() -> None:
    objects = broken("web", annotation="something-else, runtimeclass-missing")

    report = examined(objects=objects)

    assert report.diagnoses == ()
    assert report.exit_code == 0
    assert {each.by.partition(", for")[0] for each in report.ignored} == {
        "annotation wasmai.dev/ignore of Deployment default/web"
    }


def test_a_pass_stays_a_pass_and_an_answer_about_nobody_can_be_ignored_as_a_whole() -> None:
    report = examined("alert-rules", "runtimeclass-exists", objects=[deployment()])

    by_id = {each.id: each.status.value for each in report.checks}
    assert by_id["runtimeclass-exists"] == "PASS"
    assert by_id["alert-rules"] == "SKIP"
    assert [each.id for each in report.ignored] == ["alert-rules"]


@pytest.mark.parametrize(
    ("text", "subject", "matches"),
    [
        ("alert-rules", None, True),
        ("alert-rules", Subject("Node", "", "n1"), True),
        ("alert-rules=Node/n1", Subject("Node", "", "n1"), True),
        ("alert-rules=node/n*", Subject("Node", "", "n1"), True),
        ("alert-rules=Deployment/team-*/web", Subject("Deployment", "team-a", "web"), True),
        ("alert-rules=Deployment/web", Subject("Deployment", "any", "web"), True),
        ("alert-rules=Deployment/web", Subject("Deployment", "any", "webs"), False),
        ("alert-rules=Deployment/a/web", Subject("Deployment", "b", "web"), False),
        ("alert-rules=Node/n1", Subject("Pod", "", "n1"), False),
        ("alert-rules=Node/n1", None, False),
        ("runtimeclass-exists", None, False),
    ],
)
def test_an_object_is_named_as_precisely_as_one_likes(
    text: str, subject: Subject | None, *, matches: bool
) -> None:
    assert parse_ignore(text, KNOWN).matches("alert-rules", subject) is matches


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alert-rulez", "did you mean alert-rules"),
        ("", "there is no check"),
        ("alert-rules=", "names no object"),
        ("alert-rules=web", "names no object"),
        ("alert-rules=a/b/c/d", "names no object"),
        ("alert-rules=Deployment//web", "names no object"),
        ("alert-rules=Deploy/web", "there is no kind"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_ignore(text, KNOWN)


def test_every_form_of_the_report_says_what_is_ignored() -> None:
    report = examined("runtimeclass-missing", objects=broken("web"))

    for text in (
        render(report),
        render_quiet(report),
        as_markdown(report, shipped_checklists()),
        as_html(report),
        as_prometheus(report),
        as_junit(report),
        as_sarif(report),
    ):
        assert "runtimeclass-missing" in text
        assert "ignore" in text.lower()
    assert "2 ignored" in render(report) or "3 ignored" in render(report)
    suite = ET.fromstring(as_junit(report)).find("testsuite[@name='ignored']")  # noqa: S314
    assert suite is not None
    assert suite.get("skipped") == "1"
    results = json.loads(as_sarif(report))["runs"][0]["results"]
    assert any(each.get("suppressions") for each in results)


def test_a_root_that_is_ignored_does_not_bring_its_consequences_back() -> None:
    """Certainty and collapse are decided before anything is ignored."""
    whole = examined(objects=broken("web"))
    silent = examined("runtimeclass-missing", objects=broken("web"))

    assert len(whole.diagnoses) == 1
    assert silent.diagnoses == ()
