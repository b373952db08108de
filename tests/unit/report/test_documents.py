"""The forms for programs and tickets: golden files, and hostile names in each of them."""

from __future__ import annotations

import html.parser
import json
import os
import re
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

import msgspec
import pytest
from builders import container, deployment, event, pod, pod_spec, runtime_class, snapshot, waiting
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.doctor import Report, examine
from kubectl_wasmai.doctor.checklist import parse_checklist, shipped_checklists
from kubectl_wasmai.doctor.model import Evidence, Options, Status
from kubectl_wasmai.doctor.report import ObjectRef, Verdict
from kubectl_wasmai.report.as_html import as_html
from kubectl_wasmai.report.as_junit import as_junit
from kubectl_wasmai.report.as_markdown import as_markdown
from kubectl_wasmai.report.as_prometheus import as_prometheus
from kubectl_wasmai.report.as_sarif import as_sarif
from kubectl_wasmai.report.text import code

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = re.compile(
    r'[a-zA-Z_:][\w:]*(\{[a-z_]+="(\\["\\n]|[^"\\\n])*"(,[a-z_]+="(\\["\\n]|[^"\\\n])*")*\})? \S+'
)

LIST = """# Go live

Bring coffee.

- [ ] [Pods run and are ready](pod-running.md)
  as somebody may have noticed
- [x] The team was told
- [ ] Somebody looked
* [ ] [The class exists](runtimeclass-exists.md)

The end.
"""
MINE = parse_checklist("go-live", LIST)


def broken() -> Report:
    web = deployment(spec=pod_spec(container(), runtime_class="gone"))
    return examine(snapshot(web, runtime_class()), Options(own_checklists=(MINE,)))


def hostile(text: str) -> Report:
    """A report with ``text`` wherever the cluster may have a say."""
    report = broken()
    evidence = (Evidence("event", text, text),)
    return msgspec.structs.replace(
        report,
        cluster=msgspec.structs.replace(report.cluster, context=text, namespace=text),
        checks=tuple(
            msgspec.structs.replace(
                each, reason=text, needs=text, subject=ObjectRef(text, text, text),
                evidence=evidence, status=status,
            )
            for each, status in zip(report.checks * 3, Status, strict=False)
        ),
        diagnoses=tuple(
            msgspec.structs.replace(
                each, title=text, subject=ObjectRef(text, text, text), evidence=evidence,
                explains=(text,), remedy=msgspec.structs.replace(each.remedy, commands=(text,)),
            )
            for each in report.diagnoses
        ),
    )  # fmt: skip


def markdown(report: Report) -> str:
    return as_markdown(report, [MINE])


FORMS = {
    "junit.xml": as_junit,
    "md": markdown,
    "html": as_html,
    "sarif": as_sarif,
    "prom": as_prometheus,
}


@pytest.mark.parametrize("suffix", FORMS)
def test_a_broken_deployment_is_told_like_this(suffix: str) -> None:
    text, path = FORMS[suffix](broken()), GOLDEN / f"broken.{suffix}"
    if os.environ.get("WASMAI_UPDATE_GOLDEN"):
        path.write_text(text)

    assert text == path.read_text()


class Tags(html.parser.HTMLParser):
    """Notes elements and attributes; fails where an element is left open."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert {name for name, _ in attrs} <= {
            "lang", "charset", "http-equiv", "content", "name", "class",
            "id", "href", "scope", "datetime", "aria-label", "aria-labelledby",
        }  # fmt: skip
        for name, value in attrs:
            if name == "href":
                self.links.add(str(value))
            elif name in ("id", "aria-labelledby"):
                (self.ids if name == "id" else self.labels).append(str(value))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = st.text(max_size=40) | st.sampled_from(
    ["</code><script>alert(1)</script>", "]]>", '"\\\n', "\x1b[2J\x00\ud800", "`` ` ```", "{x}"]
)


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
def test_no_text_of_a_cluster_breaks_out(text: str) -> None:
    report = hostile(text)

    ET.fromstring(as_junit(report))  # noqa: S314 - our own XML
    page = Tags()
    page.feed(as_html(report))
    page.close()
    assert page.open == []
    assert not page.seen & {"script", "img", "link", "iframe", "form", "object", "base"}
    assert {each.removeprefix("#") for each in page.links} <= set(page.ids)
    assert set(page.labels) <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    json.loads(as_sarif(report))
    lines = [line for line in as_prometheus(report).splitlines() if not line.startswith("#")]
    assert all(SAMPLE.fullmatch(line) for line in lines)
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)
    written = markdown(report)
    assert sum(line.startswith(("- [", "* [")) for line in written.splitlines()) == 4
    assert "<script" not in re.sub(r"`[^\n]*`|^.*alert.*$", "", written, flags=re.MULTILINE)


def test_junit_counts_what_it_holds() -> None:
    for suite in ET.fromstring(as_junit(hostile("x"))):  # noqa: S314 - our own XML
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(len(suite.findall(f"testcase/{element}")))


def test_junit_has_what_the_schemas_of_ant_and_jenkins_ask_for() -> None:
    root = ET.fromstring(as_junit(hostile("x y")))  # noqa: S314 - our own XML

    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert {"name", "package", "id", "timestamp", "hostname", "time"} <= set(suite.attrib)
        assert suite.get("id") == str(number)
        tags = [child.tag for child in suite]
        cases = len(suite.findall("testcase"))
        assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
        for case in suite.findall("testcase"):
            assert set(case.attrib) == {"name", "classname", "time"}
            assert [child.tag for child in case] in ([], ["failure"], ["error"], ["skipped"])
            assert not case.findall("failure") or case.find("failure[@type='FAIL']") is not None


def test_a_warning_passes_in_junit_and_is_said() -> None:
    (suite, *_) = ET.fromstring(as_junit(hostile("mind this")))  # noqa: S314 - our own XML

    assert "WARN the-team-was-told" in str(suite.findtext("system-out"))
    assert "mind this" in str(suite.findtext("system-out"))


def test_a_user_s_own_checklist_comes_back_with_prose_and_order() -> None:
    lines = markdown(broken()).splitlines()

    source = LIST.splitlines()
    kept = [line for line in lines if line in source]
    assert [line for line in kept if line] == [line for line in source if line]
    at = lines.index("- [ ] [Pods run and are ready](pod-running.md)")
    assert lines[at + 1] == "  as somebody may have noticed"
    assert lines[at + 2].startswith("  - FAIL: `Deployment default/web`: ")
    assert lines.index("## Root cause: `runtimeclass-missing` (certain)") < at


def test_what_a_person_ticked_stays_ticked_and_what_passes_is_ticked() -> None:
    web = deployment()
    report = examine(
        snapshot(web, pod(owner=web), runtime_class()), Options(own_checklists=(MINE,))
    )

    text = markdown(report)
    assert "- [x] The team was told" in text
    assert "- [ ] Somebody looked" in text
    assert "- [x] [Pods run and are ready](pod-running.md)" in text


def test_shipped_checklists_come_back_whole() -> None:
    text = as_markdown(broken(), shipped_checklists())

    for checklist in shipped_checklists():
        for line in checklist.source.splitlines():
            assert line.replace("[ ]", "[x]") in text.replace("[ ]", "[x]")


def test_a_code_span_holds_any_number_of_backticks() -> None:
    assert code("a") == "`a`"
    assert code("a``b") == "```a``b```"
    assert code("`a`") == "`` `a` ``"


def test_one_status_and_one_verdict_are_one() -> None:
    samples = dict(line.rsplit(" ", 1) for line in as_prometheus(broken()).splitlines() if line)

    verdicts = [samples[f'wasmai_verdict{{verdict="{each}"}}'] for each in get_args(Verdict)]
    assert verdicts.count("1") == 1


def test_fingerprints_are_the_same_from_run_to_run_and_differ_by_object() -> None:
    def prints(report: Report) -> list[str]:
        results = json.loads(as_sarif(report))["runs"][0]["results"]
        return [each["partialFingerprints"]["wasmai/v1"] for each in results]

    assert prints(broken()) == prints(broken())
    assert len(set(prints(broken()))) == len(prints(broken()))


def test_sarif_points_to_its_rules_and_names_the_object() -> None:
    (run,) = json.loads(as_sarif(broken()))["runs"]

    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    location = run["results"][0]["locations"][0]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "Deployment/default/web"
    uri = location["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "namespaces/default/deployments/web"


def test_the_page_loads_nothing() -> None:
    web = deployment()
    stuck = pod(owner=web, ready=False, statuses=waiting("ErrImagePull", "<img src=//x>"))
    said = event(stuck, "Failed", 'Failed to pull image "<img src=//x>"')
    text = as_html(examine(snapshot(web, stuck, said, runtime_class())))

    assert not re.search(r"<(img|script|link)|url\(|@import|src=(?!//x)|href=.(?!#)", text)
    assert "default-src 'none'" in text
