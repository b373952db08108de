"""Start-up is a feature: what is typed most often loads nothing heavy.

An allow-list in the manner of click's own ``tests/test_imports.py``: whatever is not named here
and does not come with Python has to be argued for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

import pytest

HEAVY = {"kubernetes", "rich", "tabulate", "pydantic", "urllib3", "yaml", "msgspec"}
ALLOWED = {"click", "kubectl_wasmai"}

PROGRAM = """
import json, sys
before = set(sys.modules)
{body}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
loaded -= set(sys.stdlib_module_names)
print(json.dumps(sorted(loaded)), file=sys.stderr)
"""

COMMAND = "from kubectl_wasmai.cli.main import run; assert run({!r}) == 0"
COMPLETION = (
    "from kubectl_wasmai.cli.complete import completions; assert 'doctor' in completions({})"
)


class Case(NamedTuple):
    name: str
    body: str


CASES = [
    Case("--help", COMMAND.format(["--help"])),
    Case("doctor --help", COMMAND.format(["doctor", "--help"])),
    Case("deploy --help", COMMAND.format(["deploy", "--help"])),
    Case("image --help", COMMAND.format(["image", "--help"])),
    Case("image build --help", COMMAND.format(["image", "build", "--help"])),
    Case("run --help", COMMAND.format(["run", "--help"])),
    Case("version", COMMAND.format(["version"])),
    Case("version -o json", COMMAND.format(["version", "-o", "json"])),
    Case("completion bash", COMMAND.format(["completion", "bash"])),
    Case("completing a command", COMPLETION.format(["doc"])),
    Case("completing a flag", COMPLETION.replace("'doctor'", "'--check'").format(["doctor", "--"])),
]


def loaded_by(body: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM.format(body=body)],
        capture_output=True,
        text=True,
        check=True,
    )
    *noise, answer = result.stderr.splitlines()
    assert noise == []
    return set(json.loads(answer))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_light_commands_load_nothing_heavy(case: Case) -> None:
    loaded = loaded_by(case.body)

    assert loaded & HEAVY == set()
    # What an editable installation brings itself.
    others = {name for name in loaded if not name.startswith("__editable__")}
    assert others - ALLOWED == set()


def test_the_guard_sees_what_is_loaded() -> None:
    assert "rich" in loaded_by("import rich.console")
