"""Documentation that cannot lie: commands, links, generated pages."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest

from kubectl_wasmai import __version__
from kubectl_wasmai.cli.main import COMMANDS, cli, run
from kubectl_wasmai.doctor import examine
from kubectl_wasmai.report.documents import as_json
from kubectl_wasmai.snapshot import load

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "runbooks").glob("*.md")]
    if path.name != "LICENSE"
)
FENCE = re.MULTILINE | re.DOTALL
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)|<img[^>]* src=\"(?P<image>[^\"]+)\"")


def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "tools" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_checklist_items_is_what_the_checklists_say() -> None:
    tool = generator("checklist_items")

    assert tool.PAGE.read_text("utf-8") == tool.page(), "run docs/tools/checklist_items.py"
    assert sum(tool.NUMBER.values()) == 22


def test_the_table_of_causes_is_what_catalogue_and_gallery_say() -> None:
    tool = generator("causes")

    assert tool.PAGE.read_text("utf-8") == tool.page(), "run: make docs"


def command_named(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_begins_its_help_with_its_line_in_the_list_of_commands(name: str) -> None:
    command = command_named(name)

    assert command.get_short_help_str(limit=200) == COMMANDS[name]


def parts(command: click.Command) -> list[click.Command]:
    """A group's commands, or the command itself."""
    if not isinstance(command, click.Group):
        return [command]
    context = click.Context(command)
    found = [command.get_command(context, name) for name in command.list_commands(context)]
    return [part for part in found if part is not None]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(name: str) -> None:
    for part in parts(command_named(name)):
        assert re.search(r"^\s*Examples?:$", f"{part.help}\n{part.epilog}", re.MULTILINE), part.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"\b{name}\b", ROOT.joinpath("README.md").read_text("utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    fenced = re.compile(r"^ *```.*?^ *```$", FENCE)
    text = re.sub(r"`[^`\n]+`", "code", fenced.sub("", path.read_text("utf-8")))

    for match in LINK.finditer(text):
        target = match["target"] or match["image"]
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        linked = path if not file else (path.parent / file).resolve()
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}


def test_the_reference_of_commands_is_what_help_says() -> None:
    written = (DOCS / "reference" / "commands.md").read_text("utf-8")

    assert written == generator("commands").text(), "run: make docs"


def test_the_picture_shows_what_the_doctor_prints() -> None:
    picture = (DOCS / "images" / "doctor.svg").read_text("utf-8")
    # Where a line is too long for it, the picture shows its beginning.
    shown = html.unescape(re.sub(r"<[^>]*>", "", picture)).replace("\u00a0", " ")
    shown = re.sub(r"\s+", "", shown)

    for line in click.unstyle(generator("picture").printed()).splitlines():
        assert re.sub(r"\s+", "", line)[:40] in shown


def test_the_readme_shows_what_the_doctor_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"^```text\n\$ kubectl wasmai ([^\n]+)\n(.*?)^```$", readme, FENCE)
    assert shown
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")

    run(shown[1].split())

    assert shown[2].strip() == capsys.readouterr().out.strip()


def test_the_schema_of_the_report_is_the_code_s() -> None:
    written = (DOCS / "doctor-report.schema.json").read_text("utf-8")

    assert written == generator("schema").text(), "run: make docs"


def test_a_real_report_fits_the_schema(tmp_path: Path) -> None:
    schema = json.loads((DOCS / "doctor-report.schema.json").read_text("utf-8"))
    report = json.loads(as_json(examine(load(str(broken(tmp_path))))))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    assert report["diagnoses"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**report, "summary": {**report["summary"], "fail": "one"}}, schema)


def broken(folder: Path) -> Path:
    """A snapshot as kubectl writes it: a Deployment whose RuntimeClass does not exist."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"runtimeClassName": "wasm", "containers": [{"name": "web", "image": "web:1"}]},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "models", "uid": "1"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    for name, kind, items in (
        ("deployments", "DeploymentList", [deployment]),
        ("runtimeclasses", "RuntimeClassList", []),
        ("pods", "PodList", []),
        ("nodes", "NodeList", []),
        ("events", "EventList", []),
    ):
        version = {"deployments": "apps/v1", "runtimeclasses": "node.k8s.io/v1"}.get(name, "v1")
        document = {"apiVersion": version, "kind": kind, "items": items}
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


def test_an_archive_of_the_same_files_gives_the_same_report(tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    folder.mkdir()
    broken(folder)
    with tarfile.open(tmp_path / "snapshot.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname=".")

    reports = [as_json(examine(load(str(p)))) for p in (folder, tmp_path / "snapshot.tar.gz")]
    assert reports[0] == reports[1]


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_exit_codes_are_documented_where_they_are_defined() -> None:
    text = (DOCS / "exit-codes.md").read_text("utf-8")

    for code in (0, 1, 2, 3, 4, 130):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE)


def test_pages_name_no_place_outside_the_project() -> None:
    outside = re.compile(r"(?<![\w.])/(?:home|root|work|Users|tmp)/\S+")

    assert [(p.name, m[0]) for p in PAGES if (m := outside.search(p.read_text("utf-8")))] == []
