"""Registry, checklists, pages and causes say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubectl_wasmai.doctor.causes import ACTIONS, causes
from kubectl_wasmai.doctor.checklist import SHIPPED, shipped_checklists
from kubectl_wasmai.doctor.registry import all_checks, all_detectors
from kubectl_wasmai.doctor.signatures import Signature, shipped_signatures

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Verify"]
MAX_COLUMNS = 100

CHECKS = {check.id: check for check in all_checks()}
FAMILIES = sorted({cause.runbook for cause in causes().values()})
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.stem not in SHIPPED)
SIGNATURES = shipped_signatures()


def by_name(path: Path) -> str:
    return path.stem


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading}"
    return found[1]


def test_every_page_belongs_to_a_check_or_a_family_of_causes_and_each_has_one() -> None:
    assert sorted(path.stem for path in PAGES) == sorted({*CHECKS, *FAMILIES})


def test_every_check_is_on_a_checklist_and_every_linked_item_is_a_check() -> None:
    linked = [item.check for each in shipped_checklists() for item in each.items if item.check]

    # Latency is asked for twice, while it runs and of its performance.
    assert sorted({*linked}) == sorted(CHECKS)


@pytest.mark.parametrize(
    ("name", "number"),
    [("pre-deployment", 7), ("runtime", 6), ("performance", 5), ("readiness", 4)],
)
def test_checklists_keep_their_items_and_say_where_to_look_by_hand(name: str, number: int) -> None:
    checklist = next(each for each in shipped_checklists() if each.name == name)

    # Further items stand behind them, beyond the list.
    assert len(checklist.items) >= number
    assert [item.text for item in checklist.items if not item.check and not item.note] == []


def test_checklists_call_a_check_what_it_calls_itself() -> None:
    items = [item for each in shipped_checklists() for item in each.items if item.check]

    assert {item.check: item.text for item in items} == {id_: c.title for id_, c in CHECKS.items()}


@pytest.mark.parametrize("path", [p for p in PAGES if p.stem in CHECKS], ids=by_name)
def test_the_page_of_a_check_is_headed_by_its_title_and_ends_with_it(path: Path) -> None:
    text = path.read_text("utf-8")

    assert text.startswith(f"# {CHECKS[path.stem].title}\n")
    assert f"kubectl wasmai doctor --check {path.stem}" in section(text, "Verify")


@pytest.mark.parametrize("path", [p for p in PAGES if p.stem in FAMILIES], ids=by_name)
def test_the_page_of_a_family_tells_its_causes_apart(path: Path) -> None:
    text = path.read_text("utf-8")
    family = [id_ for id_, cause in causes().items() if cause.runbook == path.stem]

    told = re.findall(r"^### (\S+)$", section(text, "Meaning"), re.MULTILINE)
    assert sorted(told) == sorted(family)
    assert "kubectl wasmai doctor -q" in section(text, "Verify")


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_pages_have_the_same_sections_in_the_same_order(path: Path) -> None:
    text = without_fences(path.read_text("utf-8"))

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert len(re.findall(r"^# .+$", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_a_page_says_in_at_most_two_sentences_what_it_is_about(path: Path) -> None:
    first = section(path.read_text("utf-8"), "Meaning").strip().partition("\n\n")[0]
    prose = re.sub(r"``.+?``|`.+?`", "code", first)

    assert 1 <= len(re.findall(r"[.?!](?=\s|$)", prose)) <= 2


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=by_name)
def test_pages_can_be_read_in_a_terminal(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()

    assert [line for line in lines if len(line) > MAX_COLUMNS or "\t" in line] == []


def test_every_cause_says_what_to_do_and_for_which_checks() -> None:
    for id_, cause in causes().items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", id_)
        assert cause.action in ACTIONS
        assert cause.summary.endswith((".", "}")), id_
        assert {*cause.checks, *cause.refuted_by} <= {*CHECKS}, id_
        assert cause.checks, id_
        assert {*cause.explains} <= {*causes()}, id_


def test_detectors_and_signatures_name_causes_of_the_catalogue_and_leave_none_out() -> None:
    found = {cause for each in SIGNATURES for cause in (each.cause, *each.also)}
    found |= {cause for detector in all_detectors() for cause in detector.causes}

    assert found == {*causes()}


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda each: f"{each.cause}: {each.pattern}")
def test_a_signature_fits_the_text_it_was_made_from(signature: Signature) -> None:
    assert re.search(signature.pattern, signature.example)
    # An earlier row of the same place must not take the text away.
    rivals = [each for each in SIGNATURES if {*each.where} & {*signature.where}]
    same = [each for each in rivals if each.annotated in (None, signature.annotated)]
    same = [each for each in same if each.component in (None, signature.component)]
    first = next(each for each in same if re.search(each.pattern, signature.example))
    assert first.cause == signature.cause
