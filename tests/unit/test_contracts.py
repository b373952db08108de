"""The direction of imports: the contracts of ``.importlinter``, and what they cannot see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_imports_keep_their_direction() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"[1-9]\d* kept, 0 broken", result.stdout)


@pytest.mark.parametrize("path", sorted((ROOT / "kubectl_wasmai").rglob("*.py")), ids=str)
def test_the_core_never_names_the_checks_it_runs(path: Path) -> None:
    assert [name for name in imported(path) if re.match(r"(kubectl_wasmai\.)?checks\b", name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "checks").rglob("*.py")), ids=str)
def test_checks_know_the_core_and_each_other_by_installed_names(path: Path) -> None:
    assert [name for name in imported(path) if re.match(r"(checks|runbooks)\b", name)] == []


def imported(path: Path) -> list[str]:
    """Absolute names of all imports, wherever in the file they stand."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names
