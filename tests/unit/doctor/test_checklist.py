from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.doctor.checklist import (
    is_file_name,
    item_lines,
    parse_checklist,
    read_checklist,
    shipped_checklists,
    tick,
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
    assert manual.id == "somebody-looked-at-the-dashboard"


def test_the_shipped_checklists_have_items() -> None:
    assert all(checklist.items for checklist in shipped_checklists())


KINDS = """- [ ] [Pods run](pod-running.md)
- [x] by hand
- [X] 手動
- [ ]
1. [ ] first
  * [ ] nested
  a note
# Head
- plain
```
~~~
````""".splitlines()
LINES = st.lists(st.sampled_from([*KINDS, "", "prose\r"]) | st.text(), max_size=30)


@given(LINES)
def test_any_text_is_a_checklist_if_only_an_empty_one(lines: list[str]) -> None:
    checklist = parse_checklist("any", "\n".join(lines))

    assert all(item.text and item.id for item in checklist.items)
    assert len({item.line for item in checklist.items}) == len(checklist.items)
    by_hand = [item.id for item in checklist.items if not item.check]
    assert len(by_hand) == len({*by_hand})


@given(LINES)
def test_the_lines_of_a_file_come_back_as_they_were(lines: list[str]) -> None:
    text = "\n".join(lines).replace("\r", "")

    assert "\n".join(line for line, _ in item_lines(text)) == text.removeprefix("\ufeff")


@given(LINES, st.booleans())
def test_a_box_is_ticked_and_nothing_else_changes(lines: list[str], done: bool) -> None:
    for line, item in item_lines("\n".join(lines)):
        if item is not None:
            ticked = tick(line, done)
            assert ticked.replace("[x]", "[ ]", 1) == line.replace("[x]", "[ ]", 1).replace(
                "[X]", "[ ]", 1
            )
            assert tick(ticked, None) == ticked


@pytest.mark.parametrize(
    "line",
    [
        "* [ ] [Pods run](pod-running.md)",
        "+ [x] [Pods run](../runbooks/pod-running.md)",
        "1. [ ] [Pods run](pod-running.md#impact)",
        "  - [ ] [Pods run](pod-running.md), in both regions",
        '- [ ] See that [pods run](pod-running.md "the page") ([dashboard](https://x.test/a.md))',
    ],
)
def test_the_first_link_to_a_page_names_the_check_wherever_it_stands(line: str) -> None:
    (item,) = parse_checklist("mine", line).items

    assert item.check == "pod-running"
    assert item.text.lower() == "pods run"


@pytest.mark.parametrize(
    "line", ["- [ ] [The dashboard](https://example.test/board)", "- [ ] Ask [ops](mailto:a@b.c)"]
)
def test_a_link_to_elsewhere_is_for_a_person(line: str) -> None:
    (item,) = parse_checklist("mine", line).items

    assert item.check == ""
    assert "](" not in item.text


@pytest.mark.parametrize("fence", ["```", "~~~~", "```md"])
def test_an_example_in_a_fenced_block_is_no_item(fence: str) -> None:
    closing = fence.removesuffix("md")

    text = f"{fence}\n- [ ] not this\n{closing}\n- [ ] this"
    assert [item.text for item in parse_checklist("mine", text).items] == ["this"]


def test_items_of_the_same_words_are_two_items() -> None:
    items = parse_checklist("mine", "- [ ] 見る\n- [ ] 聞く\n- [ ] Look\n- [ ] Look").items

    assert [item.id for item in items] == ["item", "item-2", "look", "look-4"]


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
