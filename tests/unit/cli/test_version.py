from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_wasmai import __version__
from kubectl_wasmai.cli.main import run

if TYPE_CHECKING:
    import pytest


def test_without_flags_no_cluster_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/does/not/exist")

    assert run(["version"]) == 0
    assert capsys.readouterr().out == f"Client Version: {__version__}\n"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"clientVersion": __version__}


def test_an_unknown_format_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "-o", "xml"]) == 2
    assert "xml" in capsys.readouterr().err
