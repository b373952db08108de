"""A cluster with a GPU, recorded live through the API server's proxy, under load and at rest.

The node's GPUs are counted and labelled by hand, and a small web server speaks for the exporter:
the lab has no GPU.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from examining import result

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.snapshot import load

GALLERY = Path(__file__).parents[2] / "gallery"


@pytest.mark.parametrize(
    ("name", "busy"), [("healthy--gpu-busy", "PASS"), ("healthy--gpu-idle", "SKIP")]
)
def test_a_healthy_gpu_is_judged_by_what_its_exporter_said(name: str, busy: str) -> None:
    report = examine(load(str(GALLERY / name / "settled.tar.gz")))

    answers = {
        check: result(report, check).status.value
        for check in ("gpu-busy", "gpu-in-use", "gpu-healthy", "gpu-memory-suffices")
    }
    assert answers == {
        "gpu-busy": busy,
        "gpu-in-use": "PASS",
        "gpu-healthy": "PASS",
        "gpu-memory-suffices": "PASS",
    }
    assert result(report, "gpu-driver-fits").status.value == "PASS"
    assert result(report, "gpu-operator-ready").status.value == "SKIP"
    assert report.collection.unserved
