"""What ships: the wheel holds what the folders hold, and works where nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from wasmlab.paths import kubernetes_bin

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "kubectl_wasmai": "kubectl_wasmai",
    "checks": "kubectl_wasmai/checks",
    "runbooks": "kubectl_wasmai/runbooks",
}
SHIPPED = (".py", ".md", ".toml", ".tar.gz", ".wasm", ".onnx", ".json", "py.typed")
FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def copy_tree(target: Path) -> Path:
    """The sources that a wheel is made of, without what earlier builds have left."""
    target.mkdir()
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    for name in FILES:
        shutil.copy(ROOT / name, target)
    return target


def build_wheel(tree: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tree / "dist"), str(tree)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    (wheel,) = (tree / "dist").glob("*.whl")
    return wheel


def differences(tree: Path, wheel: Path) -> set[str]:
    """Names that only the folders (``-``) or only the wheel (``+``) have."""
    expected = {
        str(PurePosixPath(package, path.relative_to(tree / folder).as_posix()))
        for folder, package in FOLDERS.items()
        for path in (tree / folder).rglob("*")
        if path.is_file() and path.name.endswith(SHIPPED)
    }
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    return {f"-{name}" for name in expected - shipped} | {f"+{name}" for name in shipped - expected}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("sources") / "tree")


@pytest.fixture(scope="session")
def wheel(tree: Path) -> Path:
    return build_wheel(tree)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment with the wheel, its dependencies and the extra [local] only."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{wheel}[local]"], check=True)
    return venv / "bin"


@pytest.fixture(scope="session")
def kubectl() -> str:
    found = shutil.which("kubectl") or shutil.which("kubectl", path=kubernetes_bin())
    if found is None:
        pytest.skip("no kubectl on PATH, and the lab has not built one (lab/lab build)")
    return found


def run(
    folder: Path, *command: str, path: Path | None = None, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """In an empty folder, without anything of this checkout on Python's path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment["KUBECONFIG"] = str(folder / "no-kubeconfig")
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == expect, result.stdout + result.stderr
    return result


def test_the_wheel_holds_exactly_what_the_folders_hold(tree: Path, wheel: Path) -> None:
    assert differences(tree, wheel) == set()


def test_the_licence_travels_with_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())


def test_a_package_that_nobody_listed_would_be_found(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    (tree / "kubectl_wasmai" / "extra").mkdir()
    (tree / "kubectl_wasmai" / "extra" / "__init__.py").write_text("")

    assert differences(tree, build_wheel(tree)) == {"-kubectl_wasmai/extra/__init__.py"}


def test_the_installed_plugin_finds_its_checks_and_pages(installed: Path, tmp_path: Path) -> None:
    listed = run(tmp_path, str(installed / "kubectl-wasmai"), "explain").stdout
    page = run(tmp_path, str(installed / "kubectl-wasmai"), "explain", "runtimeclass-missing")

    assert "runtimeclass-exists" in listed
    assert "## Mitigation" in page.stdout


def test_the_installed_engine_is_whole(installed: Path, tmp_path: Path) -> None:
    program = (
        "import hashlib; from kubectl_wasmai import engine\n"
        "for each in engine.VARIANTS:\n"
        "    content = engine.module_path(each).read_bytes()\n"
        "    known = engine.manifest().modules[engine.module_name(each)]\n"
        "    assert hashlib.sha256(content).hexdigest() == known.sha256, each\n"
        "assert 'Conv' in engine.operators() and engine.sbom_path().is_file()\n"
    )
    run(tmp_path, str(installed / "python"), "-c", program)


def test_the_installed_plugin_runs_a_model(installed: Path, tree: Path, tmp_path: Path) -> None:
    demo = tree / "kubectl_wasmai" / "demo"
    words = ("run", str(demo / "digits.onnx"), "--input", str(demo / "digit.json"))
    answer = json.loads(run(tmp_path, str(installed / "kubectl-wasmai"), *words).stdout)

    assert answer["outputs"][0]["data"] == [3]


def test_kubectl_runs_the_plugin(installed: Path, kubectl: str, tmp_path: Path) -> None:
    result = run(tmp_path, kubectl, "wasmai", "version", path=installed)

    assert result.stdout.startswith("Client Version: ")
    assert run(tmp_path, kubectl, "wasmai", "doctor", "--bad", path=installed, expect=2).stderr


def test_kubectl_completes_the_plugin(installed: Path, kubectl: str, tmp_path: Path) -> None:
    result = run(tmp_path, kubectl, "__complete", "wasmai", "doc", path=installed)

    assert result.stdout.splitlines()[0].startswith("doctor\t")


def test_the_installed_package_is_typed(installed: Path, tmp_path: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    target = ["--python-executable", str(installed / "python"), "-p", "kubectl_wasmai"]
    # Stubs of the libraries are no part of what ships.
    unstubbed = ["--disable-error-code=import-untyped", "--allow-subclassing-any"]
    unstubbed += ["--no-warn-unused-ignores"]
    run(tmp_path, *mypy, *unstubbed, *target)
