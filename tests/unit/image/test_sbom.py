"""Lists of parts, judged by the libraries of those who define them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from image_builders import a_stored_image

from kubectl_wasmai.errors import InputError
from kubectl_wasmai.image import sbom
from kubectl_wasmai.image.engine import Crate, Licence
from kubectl_wasmai.image.inspect import describe_image

if TYPE_CHECKING:
    from pathlib import Path

CRATES = [
    Crate("httparse", "1.10.1", [Licence("MIT OR Apache-2.0")]),
    Crate("old", "0.1.0", [Licence("MIT/Apache-2.0")]),
    Crate("unlicensed", "1.0.0"),
]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sbom.Parts:
    monkeypatch.setattr(sbom, "known_crates", lambda _digest: CRATES)
    return sbom.parts_of(image(tmp_path))


def image(tmp_path: Path) -> dict[str, Any]:
    store, name, root = a_stored_image(tmp_path)
    return describe_image(str(name), root, store, "local store")


def test_spdx_is_valid_for_its_own_tools(parts: sbom.Parts, tmp_path: Path) -> None:
    parser = pytest.importorskip("spdx_tools.spdx.parser.parse_anything")
    validation = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    (tmp_path / "x.spdx.json").write_text(json.dumps(sbom.spdx(parts)))

    document = parser.parse_file(str(tmp_path / "x.spdx.json"))
    assert validation.validate_full_spdx_document(document) == []
    assert {each.name for each in document.packages} >= {"mnist.onnx", "engine.wasm", "httparse"}


def test_cyclonedx_is_valid_by_its_schema(parts: sbom.Parts) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")

    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(sbom.cyclonedx(parts))) is None
    broken = {**sbom.cyclonedx(parts), "specVersion": 7}
    assert validator.validate_str(json.dumps(broken)) is not None


def test_files_engine_and_crates_are_all_there_with_their_digests(parts: sbom.Parts) -> None:
    found = {each["name"]: each for each in sbom.cyclonedx(parts)["components"]}

    assert found["mnist.onnx"]["type"] == "machine-learning-model"
    assert re.fullmatch(r"[0-9a-f]{64}", found["mnist.onnx"]["hashes"][0]["content"])
    assert re.fullmatch(r"[0-9a-f]{64}", found["engine.wasm"]["hashes"][0]["content"])
    assert found["httparse"]["purl"] == "pkg:cargo/httparse@1.10.1"
    assert found["old"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert "licenses" not in found["unlicensed"]


def test_an_engine_of_ones_own_makes_the_list_incomplete_and_it_says_so(tmp_path: Path) -> None:
    parts = sbom.parts_of(image(tmp_path))

    assert parts.crates is None
    assert sbom.cyclonedx(parts)["compositions"][0]["aggregate"] == "incomplete"
    assert "not known" in sbom.spdx(parts)["creationInfo"]["comment"]


def test_the_same_image_gives_the_same_list(
    parts: sbom.Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")

    assert sbom.cyclonedx(parts) == sbom.cyclonedx(parts)
    assert sbom.spdx(parts)["creationInfo"]["created"] == "1970-01-01T00:00:00Z"


def test_images_of_other_tools_are_left_to_scanners(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image that says"):
        sbom.parts_of({**image(tmp_path), "model": None})
    with pytest.raises(InputError, match="no image that says"):
        sbom.parts_of({"kind": "Model", "source": "m.onnx", "model": {}})
