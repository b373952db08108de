"""Lists that are decoded while they arrive: the same objects as decoded at once, or none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.jsonlist import ItemReader, Text, Typed, decode_items

BORDERS = '},{"metadata":{"name":"x"}},{"metadata":'
"""What the border of two items looks like, where a person has written it into a value."""

words = st.sampled_from(["", "a", "é", "]}", '"', "\\", BORDERS, '"items":[', "\u2028"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.just("items"), inner, max_size=3)
        | st.fixed_dictionaries({"metadata": inner})
    ),
    max_leaves=8,
)
items = st.lists(st.fixed_dictionaries({"metadata": values, "spec": values}), max_size=12)
heads = st.sampled_from([{}, {"kind": "PodList"}, {"items ": [1], "extra": {"items": [{"a": 1}]}}])
cuttings = st.lists(st.integers(0), max_size=30)
layouts = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")])


def text_of(
    head: dict[str, Any], found: list[Any], layout: tuple[str, str], *, last: bool
) -> bytes:
    """A List whose metadata come before the items, as Kubernetes writes them, or after."""
    metadata = {"metadata": {"resourceVersion": "7", "continue": "c"}}
    document = {**head, **({} if last else metadata), "items": found, **(metadata if last else {})}
    return json.dumps(document, separators=layout, ensure_ascii=False).encode()


def read(text: bytes, cuts: list[int], batch: int) -> tuple[list[Any], str, str]:
    found: list[Any] = []
    reader = ItemReader(lambda array: found.extend(msgspec.json.decode(array, type=list)), batch)
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for begin, end in pairwise(places):
        reader.feed(text[begin:end])
    metadata = reader.close()
    return found, metadata.resource_version, metadata.continue_


@settings(max_examples=300, deadline=None)
@given(
    heads, items, layouts, st.booleans(), st.lists(st.integers(0), max_size=30), st.integers(1, 80)
)
def test_however_it_is_cut_all_items_come_once_and_in_order(
    head: dict[str, Any], found: list[Any], layout: tuple[str, str], last: bool,
    cuts: list[int], batch: int,
) -> None:  # fmt: skip
    text = text_of(head, found, layout, last=last)

    assert read(text, cuts, batch) == (found, "7", "c")


@settings(max_examples=200, deadline=None)
@given(items, layouts, st.booleans(), st.integers(0), st.integers(1, 80))
def test_a_text_that_breaks_off_is_never_taken_for_whole(
    found: list[Any], layout: tuple[str, str], last: bool, end: int, batch: int
) -> None:
    text = text_of({}, found, layout, last=last)

    with pytest.raises(msgspec.DecodeError):
        read(text[: end % len(text)], [], batch)


@pytest.mark.parametrize("text", [b"", b"[]", b"<html>", b'{"items":[1}', b'{"items":[]}garbage'])
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(text, [], 4)


class Ready(msgspec.Struct):
    ready: bool = False


def test_an_item_that_fits_only_in_part_is_kept_without_that_part_and_named() -> None:
    array = b'[{"ready":true},{"metadata":{"name":"b","namespace":"shop"},"ready":"yes"},7]'

    found, odd = decode_items(Typed(Ready), array)

    assert found == [Ready(True), Ready()]
    assert odd == [
        ("shop/b", "ready: Expected `bool`, got `str`"),
        ("(no name)", "Expected `object`, got `int`"),
    ]


def test_a_kept_text_is_what_it_was() -> None:
    kept = Text.of(b'[{"a":1}]', 1)

    assert (kept.array, kept.items) == (b'[{"a":1}]', 1)
