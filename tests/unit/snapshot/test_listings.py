"""What a live cluster's lists become: the same objects as those of a file, in less memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubectl_wasmai.jsonlist import Text, Typed
from kubectl_wasmai.resources import BY_KIND
from kubectl_wasmai.snapshot.documents import documents
from kubectl_wasmai.snapshot.events import EventKeys, Events, Key, PackedEvents, about, indexed
from kubectl_wasmai.snapshot.files import read_members
from kubectl_wasmai.snapshot.objects import TYPES, Event
from kubectl_wasmai.snapshot.sharing import SharingDecoder, without_random_name

GALLERY = Path(__file__).parents[2] / "gallery"
RECORDINGS = sorted(GALLERY.glob("*/settled.tar.gz"))[::15]


def lists(recording: Path) -> dict[str, list[dict[str, Any]]]:
    """Items by kind; with kubelets' random names, of which a live snapshot keeps no end."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, content in read_members(str(recording)):
        if not name.endswith(".json"):
            continue
        for document in documents(".json", content):
            kind = str(document.get("kind", "")).removesuffix("List")
            for item in document.get("items") or ():
                found.setdefault(item.get("kind", kind), []).append(item)
    return {kind: items for kind, items in found.items() if kind in TYPES}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.parent.name)
def test_objects_that_share_their_parts_are_equal_to_those_that_do_not(recording: Path) -> None:
    for kind, items in lists(recording).items():
        resource = BY_KIND[kind]
        stamp = {"apiVersion": resource.api_version, "kind": kind}
        bare = [{key: item[key] for key in item if key not in stamp} for item in items]
        text = without_random_names(msgspec.json.encode(bare))
        whole = without_random_names(msgspec.json.encode([{**each, **stamp} for each in bare]))

        shared = SharingDecoder(TYPES[kind], kind, resource.api_version).many(text)

        assert shared == Typed(TYPES[kind]).many(whole)


def without_random_names(text: bytes) -> bytes:
    while (shorter := without_random_name(text)) != text:
        text = shorter
    return text


def packed(events: list[dict[str, Any]], size: int) -> PackedEvents:
    arrays = [events[start : start + size] for start in range(0, len(events), size)]
    texts = tuple(Text.of(msgspec.json.encode(each), len(each)) for each in arrays)
    keys = [key for text in texts for key in EventKeys().many(text.array)]
    return PackedEvents(texts, keys)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_packed_events_are_found_as_decoded_ones_are(recording: Path, size: int) -> None:
    raw = lists(recording).get("Event", [])
    decoded = Typed(Event).many(msgspec.json.encode(raw))
    plain: Events = indexed(decoded)

    found = packed(raw, size)

    assert len(found) == len(plain)
    assert list(found) == decoded
    for key in {about(event) for event in decoded} | {Key("Pod", "no", "such")}:
        assert found.of(key) == plain.of(key)
    assert all(event in found for event in decoded)
