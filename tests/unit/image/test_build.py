"""Building: the same inputs give the same image, and runtimes find what they look for."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import onnx_builders
import pytest
from image_builders import MODULE, NAME, a_model, a_plan, an_engine

from kubectl_wasmai.image.build import PLATFORMS, build
from kubectl_wasmai.image.engine import engine_from_file
from kubectl_wasmai.image.model import read_model
from kubectl_wasmai.image.oci import Descriptor, digest_of
from kubectl_wasmai.image.reference import parse_reference
from kubectl_wasmai.image.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def documents(store: Store, root: Descriptor) -> tuple[Any, list[tuple[Any, Any]]]:
    """The index; and each manifest with its config."""

    def read(one: Any) -> Any:
        return json.loads((store.folder / "blobs/sha256" / one["digest"][7:]).read_bytes())

    index = json.loads(store.document(root))
    return index, [(read(one), read(read(one)["config"])) for one in index["manifests"]]


def test_the_same_inputs_give_the_same_digest_for_ever(tmp_path: Path) -> None:
    """The digest is written down: it depends on no machine, no time and no library."""
    root = build(a_plan(tmp_path / "a"), Store(tmp_path / "s"))

    assert root.digest == (
        "sha256:f999b5ba065fcdf2c55c83ee4296238add74bbee3963a62f55decfc22daff4eb"
    )


def test_times_owners_and_places_of_the_files_do_not_matter(tmp_path: Path) -> None:
    first = build(a_plan(tmp_path / "a"), Store(tmp_path / "s1"))
    shutil.copytree(tmp_path / "a", tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").iterdir():
        os.utime(path, (10**9, 10**9))
        path.chmod(0o600)
    again = build(a_plan(tmp_path / "elsewhere", "other.example.com/x:2"), Store(tmp_path / "s2"))

    assert first == again


def test_runtimes_find_an_exec_form_entrypoint_and_a_user_that_is_not_root(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    index, images = documents(store, build(a_plan(tmp_path), store))

    assert [one["platform"] for one in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for (manifest, config), platform in zip(images, PLATFORMS, strict=True):
        assert f"{config['os']}/{config['architecture']}" == platform
        assert config["config"]["Entrypoint"] == ["/engine.wasm"]
        assert config["config"]["User"] == "65532:65532"
        assert config["rootfs"]["diff_ids"] == [one["digest"] for one in manifest["layers"]]
        assert manifest["annotations"]["module.wasm.image/variant"] == "compat-smart"
        assert "created" not in config
    assert index["annotations"]["module.wasm.image/variant"] == "compat-smart"


def test_engine_and_model_are_layers_of_their_own_shared_by_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    plan = a_plan(tmp_path)
    _, ((first, _), (second, _)) = documents(store, build(plan, store))
    (tmp_path / "other.onnx").write_bytes(onnx_builders.small_model(external="w"))
    (tmp_path / "w").write_bytes(bytes(24))
    other = replace(plan, model=read_model(tmp_path / "other.onnx"))
    _, ((third, _), _) = documents(store, build(other, store))

    assert first["layers"] == second["layers"]
    assert [one["annotations"]["wasmai.dev/role"] for one in first["layers"]] == ["engine", "model"]
    assert third["layers"][0] == first["layers"][0]
    assert len(third["layers"]) == 3


def test_an_engine_for_each_platform_is_possible(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    arm = engine_from_file(an_engine(tmp_path / "arm", MODULE + b"arm"))
    plan = a_plan(tmp_path)
    plan = replace(plan, engines={**plan.engines, "linux/arm64": arm})
    _, ((amd64, _), (arm64, _)) = documents(store, build(plan, store))

    assert amd64["layers"][0] != arm64["layers"][0]
    assert amd64["layers"][1] == arm64["layers"][1]


def test_a_model_alone_is_an_ordinary_image_without_a_command(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    _, ((manifest, config), _) = documents(store, build(a_plan(tmp_path, alone=True), store))

    assert "Entrypoint" not in config["config"]
    assert "module.wasm.image/variant" not in manifest["annotations"]
    assert len(manifest["layers"]) == 1


def test_a_model_may_be_named_for_its_callers(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    _, ((manifest, config), _) = documents(
        store, build(replace(a_plan(tmp_path), name="digits"), store)
    )

    assert manifest["layers"][1]["annotations"]["org.opencontainers.image.title"] == "digits.onnx"
    assert config["config"]["Labels"]["org.opencontainers.image.title"] == "digits"


def test_labels_say_what_the_model_is_and_which_engine_runs_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    plan = replace(a_plan(tmp_path), labels={"team": "vision"}, annotations={"a": "b"})
    _, ((manifest, config), _) = documents(store, build(plan, store))

    labels = config["config"]["Labels"]
    card = json.loads(labels["wasmai.dev/model"])
    model = a_model(tmp_path).read_bytes()
    assert card["files"] == [{"name": "mnist.onnx", "size": len(model), "digest": digest_of(model)}]
    assert labels["wasmai.dev/engine.digest"] == digest_of(MODULE)
    assert (labels["team"], manifest["annotations"]["a"]) == ("vision", "b")


def test_progress_ends_at_the_announced_sizes(tmp_path: Path) -> None:
    told: dict[str, list[int]] = {}

    def start(name: str, total: int) -> Any:
        told[name] = [total, 0]

        def advance(count: int) -> None:
            told[name][1] += count

        return advance

    build(a_plan(tmp_path), Store(tmp_path / "s"), start)

    assert set(told) == {"mnist.onnx", "engine.wasm"}
    assert all(total == done for total, done in told.values())


@pytest.mark.parametrize("name", [NAME, "docker.io/library/x:1"])
def test_the_store_knows_the_image_by_its_name(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "s")
    root = build(a_plan(tmp_path, name), store)

    found = store.find(parse_reference(name))
    assert found
    assert found.digest == root.digest
