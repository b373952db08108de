"""The configuration for kind, judged by kind's own code and by a real containerd."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from wasmlab.paths import LAB_DIR, containerd2_root

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("go") is None, reason="kind's code is Go"),
]

VALIDATE = LAB_DIR / "kind" / "validate"
CONFIG = LAB_DIR / "kind" / "kind.yaml"


def go(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["go", *words], cwd=VALIDATE, capture_output=True, text=True, check=False)


def test_kind_accepts_the_configuration() -> None:
    done = go("run", ".", str(CONFIG))

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("node: worker") == 2


def test_kind_refuses_a_configuration_that_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "kind.yaml"
    wrong.write_text(CONFIG.read_text().replace("role: worker", "role: worm"))

    assert '"worm" is not a valid node role' in go("run", ".", str(wrong)).stderr


def test_containerd_reads_the_configuration_as_kind_patches_it(tmp_path: Path) -> None:
    containerd = containerd2_root() / "usr/bin/containerd"
    if not containerd.exists():
        pytest.skip("containerd 2 is not built: lab/lab build")
    module = go("list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind").stdout.strip()
    original = f"{module}/images/base/files/etc/containerd/config.toml"
    patched = tmp_path / "config.toml"
    patched.write_text(go("run", ".", str(CONFIG), original).stdout)

    done = subprocess.run(
        [containerd, "--config", patched, "config", "dump"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    handler = done.stdout.partition("containerd.runtimes.crun]")[2]
    assert "pod_annotations = ['module.wasm.image/*', 'run.oci.handler']" in handler
    assert "BinaryName = '/usr/bin/crun'" in handler
