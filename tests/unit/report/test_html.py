"""The page: what people with other eyes, other screens or many results need."""

from __future__ import annotations

import re
from itertools import pairwise, product

import msgspec
import pytest
from builders import container, deployment, pod_spec, runtime_class, snapshot

from kubectl_wasmai.doctor import Report, examine
from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.doctor.report import ObjectRef
from kubectl_wasmai.report.as_html import as_html
from kubectl_wasmai.report.html_style import DARK, LIGHT, PAPER

GROUNDS = ("page", "card", "code")
WORDS = ("ink", "soft", "link", *(status.value for status in Status))


def luminance(color: str) -> float:
    """Relative, as WCAG 2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colors", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_every_colour_of_words_can_be_read_on_every_ground(colors: dict[str, str]) -> None:
    for word, ground in product(WORDS, GROUNDS):
        lighter, darker = sorted((luminance(colors[word]), luminance(colors[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (word, ground)


def broken(*names: str) -> Report:
    spec = pod_spec(container(), runtime_class="gone")
    return examine(snapshot(*(deployment(name, spec=spec) for name in names), runtime_class()))


def levels(page: str) -> list[int]:
    return [int(level) for level in re.findall(r"<h(\d)", page)]


def test_headings_go_down_one_level_at_a_time_and_there_is_one_first() -> None:
    found = levels(as_html(broken("web")))

    assert found.count(1) == 1
    assert found[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(found))


def test_landmarks_language_and_names_are_there() -> None:
    page = as_html(broken("web"))

    for mark in (
        '<html lang="en">',
        "<header",
        "<main>",
        "<footer>",
        "<nav aria-label=",
        "<title>",
    ):
        assert page.count(mark) == 1
    assert 'scope="col"' in page


def test_the_root_cause_stands_before_everything_else() -> None:
    page = as_html(broken("web"))

    cause = page.index("The pods name a RuntimeClass that does not exist")
    assert cause < page.index("<nav")
    assert "Deployment default/web" in page[cause : cause + 150]


def test_several_causes_are_listed_at_the_top_each_with_a_link() -> None:
    report = broken("web")
    (cause,) = report.diagnoses
    many = msgspec.structs.replace(report, diagnoses=(cause,) * 12)

    page = as_html(many)

    assert "12 root causes were found" in page
    assert 'href="#cause-10"' in page
    assert "And 2 more, below." in page


def test_a_crowd_that_passes_is_one_row_and_what_does_not_apply_is_folded() -> None:
    report = broken("web")
    entry = report.checks[0]
    crowd = tuple(
        msgspec.structs.replace(
            entry, id="a", runbook="a", status=status, subject=ObjectRef("Deployment", "d", f"w{n}")
        )
        for status in (Status.PASS, Status.FAIL, Status.SKIP)
        for n in range(200)
    )

    page = as_html(msgspec.structs.replace(report, checks=crowd))

    assert page.count('<span class="status PASS">') == 2  # the crowd, and the legend
    assert page.count('<span class="status FAIL">') == 22  # twenty, the rest, and the legend
    assert "200 objects" in page
    assert "and 180 more" in page
    assert "One check does not apply" in page
    assert "Deployment d/w199" in page


def test_what_could_not_be_seen_is_said_at_the_top() -> None:
    report = broken("web")
    gap = {"denied": [{"verb": "list", "resource": "nodes"}], "unreadable": []}
    collection = msgspec.convert(gap, type(report.collection))

    page = as_html(msgspec.structs.replace(report, collection=collection))

    assert page.index("could not see one thing") < page.index("<nav")
    assert "list nodes" in page
