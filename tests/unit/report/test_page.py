from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubectl_wasmai.report.page import LEAST_WIDTH, render_page

RUNBOOKS = Path(__file__).parents[3] / "runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))

PAGE = """# A title

## Meaning

Some prose with `a code span` and **bold** words, long enough
to be wrapped, and a [link](other.md).

- an item that goes on
  in a second line
- another

| text | what it is |
|---|---|
| `no runtime for "X" is configured` | containerd, all versions of it |

```sh
kubectl get pods -n NAMESPACE -o custom-columns=NAME:.metadata.name     # a comment
```
"""

SHOWN = """A title

MEANING

Some prose with `a code span` and bold
words, long enough to be wrapped, and a
link (other).

  - an item that goes on in a second
    line
  - another

  text                                what it is
  `no runtime for "X" is configured`  containerd,
                                      all
                                      versions of
                                      it

    kubectl get pods -n NAMESPACE -o custom-columns=NAME:.metadata.name     # a comment
"""


def test_prose_is_wrapped_tables_have_columns_and_commands_stay_whole() -> None:
    assert render_page(PAGE, width=40) == SHOWN


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("it is *the* node", "it is the node"),
        ("`a*b` and `*c*`", "`a*b` and `*c*`"),
        ("2 * 3 * 4",) * 2,
    ],
)
def test_stars_are_emphasis_in_prose_and_themselves_in_code(written: str, shown: str) -> None:
    assert render_page(written).strip() == shown


def test_colour_replaces_backticks_and_says_nothing_of_its_own() -> None:
    colored = render_page(PAGE, width=40, color=True)

    assert "\x1b[1mMEANING\x1b[0m" in colored
    assert "`" not in colored
    assert click.unstyle(colored).split() == SHOWN.replace("`", "").split()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_fits_80_columns_but_for_what_is_to_be_pasted(path: Path) -> None:
    text = path.read_text("utf-8")
    code = {
        line
        for fence in re.findall(r"```.*?\n(.*?)```", text, re.DOTALL)
        for line in fence.splitlines()
    }

    long = [line for line in render_page(text, width=80).splitlines() if len(line) > 80]
    assert [line for line in long if line.removeprefix("    ") not in code] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_word_of_a_page_is_lost(path: Path) -> None:
    text = path.read_text("utf-8")

    def words(page: str) -> list[str]:
        plain = re.sub(r"\.md\)|^\|[-|]+\|$|^```.*$", " ", page, flags=re.MULTILINE)
        return sorted(re.findall(r"\w+", plain.lower()))

    assert words(render_page(text, width=80)) == words(text)


@example(text="|", width=0, color=False)
@given(text=st.text(), width=st.integers(0, 200), color=st.booleans())
def test_any_text_is_shown(text: str, width: int, *, color: bool) -> None:
    assert render_page(text, width=width, color=color).endswith("\n")


def test_a_narrow_terminal_still_gets_lines() -> None:
    assert max(map(len, render_page("word " * 40, width=1).splitlines())) <= LEAST_WIDTH
