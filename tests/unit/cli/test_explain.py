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


def test_a_cause_is_told_before_the_page_of_its_family(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = shown(capsys, "handler-not-configured").splitlines()

    assert first.startswith("handler-not-configured: The nodes' container runtime")
    assert second.startswith("To do: ")


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
