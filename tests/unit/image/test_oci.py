"""Manifests and indexes of others, read with suspicion."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image.oci import Index, Manifest, canonical, parse_config, parse_document

DIGEST = "sha256:" + "0" * 64
DESCRIPTOR = {"mediaType": "x", "digest": DIGEST, "size": 1}


def parse(**document: Any) -> Manifest | Index:
    return parse_document(json.dumps(document).encode(), "it")


def test_manifests_and_indexes_are_told_apart_without_a_media_type() -> None:
    assert isinstance(parse(schemaVersion=2, config=DESCRIPTOR, layers=[DESCRIPTOR]), Manifest)
    assert isinstance(parse(schemaVersion=2, manifests=[DESCRIPTOR]), Index)


def test_an_empty_list_that_go_writes_as_null_is_empty() -> None:
    index = parse(manifests=None, annotations=None)
    assert isinstance(index, Index)
    assert index.manifests == []
    manifest = parse(config=DESCRIPTOR, layers=None)
    assert isinstance(manifest, Manifest)
    assert manifest.layers == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"config": DESCRIPTOR, "layers": [{**DESCRIPTOR, "digest": "sha256:../../etc"}]},
        {"config": DESCRIPTOR, "layers": [{**DESCRIPTOR, "digest": "md5:00"}]},
        {"config": DESCRIPTOR, "layers": [{**DESCRIPTOR, "size": -1}]},
        {"config": DESCRIPTOR, "layers": [{**DESCRIPTOR, "size": "1"}]},
        {"manifests": {}},
        {"schemaVersion": 1, "fsLayers": []},
    ],
)
def test_what_is_no_manifest_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^it "):
        parse(**document)


KEYS = st.sampled_from(["config", "layers", "manifests", "digest", "size", "mediaType"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_manifest_or_refused(document: Any) -> None:
    with contextlib.suppress(InputError):
        parse_document(json.dumps(document).encode(), "it")
    parse_config(json.dumps(document).encode())


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)))
def test_canonical_json_depends_on_the_content_alone(document: dict[str, Any]) -> None:
    assert canonical(document) == canonical(dict(reversed(document.items())))
    assert json.loads(canonical(document)) == document
