from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.doctor.checklist import parse_checklist, shipped_checklists

TEXT = """# Before going live

Some prose, and a [link](elsewhere.md).

- [ ] [Pods run](pod-running.md)
- [x] Somebody looked at the dashboard
  under load,
  for ten minutes

More prose.
  Indented, but of no item.
* [ ] [Limits](../runbooks/resource-limits-set.md)
- an ordinary bullet
"""


def test_items_are_task_list_lines_and_links_name_checks() -> None:
    checklist = parse_checklist("mine", TEXT)

    assert checklist.title == "Before going live"
    assert [item.check for item in checklist.items] == ["pod-running", "", "resource-limits-set"]


def test_lines_under_a_manual_item_say_what_to_look_at() -> None:
    manual = parse_checklist("mine", TEXT).items[1]

    assert manual.text == "Somebody looked at the dashboard"
    assert manual.note == "under load, for ten minutes"
    assert manual.slug == "somebody-looked-at-the-dashboard"


def test_the_shipped_checklists_have_items() -> None:
    assert all(checklist.items for checklist in shipped_checklists())


@given(st.text())
def test_any_text_is_a_checklist_if_only_an_empty_one(text: str) -> None:
    for item in parse_checklist("any", text).items:
        assert item.text
