"""The lab, once for the whole session; every e2e test shares it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from desk import link_programs
from wasmlab.client import Lab
from wasmlab.paths import kubernetes_bin, node_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The usual lab, started when it is not up.

    One that this session started goes down at its end, unless WASMAI_LAB_KEEP is set; one that
    was up before is somebody's, and stays. Skips where the lab cannot run or was never built:
    its build of minutes is no part of a test run.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("the lab needs root on Linux")
    if not (kubernetes_bin() / "kubelet").exists() or not node_root().exists():
        pytest.skip("the lab is not built: lab/lab build")
    usual = Lab()
    was_up = usual.is_up
    usual.command("up")
    yield usual
    if not was_up and not os.environ.get("WASMAI_LAB_KEEP"):
        usual.command("down")


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wasmedge and cosign, as the lab's node has them."""
    return link_programs(tmp_path_factory.mktemp("bin"))
