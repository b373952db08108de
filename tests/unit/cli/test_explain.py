from __future__ import annotations

import pytest

from kubectl_wasmai.cli.main import run
from kubectl_wasmai.doctor.causes import causes
from kubectl_wasmai.doctor.registry import all_checks

IDS = [*(check.id for check in all_checks()), *causes()]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_without_an_id_everything_is_listed_with_its_title(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(capsys).splitlines()

    assert [line.split()[0] for line in lines if line.split()[1:] and line[0].islower()] == IDS


@pytest.mark.parametrize("id_", IDS)
def test_every_id_has_a_page(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = shown(capsys, id_)

    assert "\n## Mitigation\n" in page


def test_a_cause_has_the_page_of_its_family_without_its_neighbours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = shown(capsys, "handler-not-configured")

    assert page.startswith("# The nodes' container runtime has no such handler\n\n")
    assert "`handler-not-configured`: Add handler" in page
    assert "### " not in page
    # What is said of it alone, and nothing of what is said of a neighbour.
    assert "Either it was never written" in page
    assert "a re-imaged one" not in page
    assert "kubectl wasmai explain runtime-handler" in page
    assert "\n\n\n" not in page
    assert "`libwasmedge-missing`" in page.partition("## See also")[2]


def test_in_a_terminal_the_page_is_set_for_reading(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    lines = shown(capsys, "pod-running").splitlines()

    assert lines[0] == "Pods run and are ready"
    assert "MEANING" in lines
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 80


def test_families_and_checklists_have_pages_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "runtime-handler").startswith("# Runtime handlers")
    assert shown(capsys, "pre-deployment").startswith("# Before deployment")


def test_a_misspelt_id_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "runtime-class-missing"]) == 1
    assert "did you mean runtimeclass-missing?" in capsys.readouterr().err


@pytest.mark.parametrize("id_", ["../README", "runbooks/image", "/etc/passwd", ".."])
def test_an_id_is_no_path(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", id_]) == 1
    assert "there is no page" in capsys.readouterr().err
