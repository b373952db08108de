from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.doctor.checklist import (
    is_file_name,
    parse_checklist,
    read_checklist,
    shipped_checklists,
)
from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

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


def test_an_unknown_check_in_a_user_s_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text(TEXT.replace("pod-running.md", "pod-runing.md"))

    with pytest.raises(InputError, match=r"mine\.md, line 5: there is no check 'pod-runing'") as e:
        read_checklist(str(path), ["pod-running", "resource-limits-set"])
    assert e.value.hint == "did you mean pod-running?"


@pytest.mark.parametrize("content", [b"# Only prose\n", b"\xff\xfe"])
def test_a_file_that_is_no_checklist_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.md"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"mine\.md"):
        read_checklist(str(path), [])
    with pytest.raises(InputError, match="cannot read"):
        read_checklist(str(tmp_path), [])


def test_a_name_is_a_shipped_checklist_and_a_path_is_a_file() -> None:
    assert not is_file_name("runtime")
    assert is_file_name("runtime.md")
    assert is_file_name("./runtime")
