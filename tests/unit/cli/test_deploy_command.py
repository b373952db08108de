from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from kubectl_wasmai.cli.main import run

IMAGE = ("--image", "example.test/hello:1")
CLIENT = ("deploy", "web", *IMAGE, "--class", "wasm", "--dry-run=client")


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nonexistent/kubeconfig")


def test_a_client_dry_run_needs_no_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CLIENT]) == 0
    assert capsys.readouterr() == (
        "deployment.apps/web created (dry run)\nservice/web created (dry run)\n",
        "",
    )


def test_its_yaml_is_two_documents(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CLIENT, "-o", "yaml", "-n", "models", "--", "--verbose"]) == 0
    deployment, service = yaml.safe_load_all(capsys.readouterr().out)

    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"] == ["--verbose"]
    assert [deployment["metadata"]["namespace"], service["metadata"]["namespace"]] == ["models"] * 2


def test_without_a_namespace_the_manifests_name_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CLIENT, "-o=yaml"]) == 0
    assert "namespace" not in capsys.readouterr().out


def test_a_moving_tag_is_warned_of_on_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", "web", "--image", "x", "--class=wasm", "--dry-run=client", "-oname"]) == 0
    out, err = capsys.readouterr()

    assert out == "deployment.apps/web\nservice/web\n"
    assert err.startswith("Warning: image x has no tag")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["deploy", "Web", *IMAGE], "cannot name a Service"),
        (["deploy", "web"], "--image"),
        (["deploy", "web", *IMAGE, "--requests", "cpu=2"], ""),
        (["deploy", "web", *IMAGE, "--requests", "cpu=3", "--limits", "cpu=2"], "more than"),
        (["deploy", "web", *IMAGE, "--port", "0"], "--port"),
        (["deploy", "web", *IMAGE, "--env", "X"], "key=value"),
        (["deploy", "web", *IMAGE, "--dry-run=maybe"], "--dry-run"),
        (["deploy", "web", *IMAGE, "--wait=perhaps"], "--wait"),
        (["logs", "web", "--tail", "0"], "--tail"),
        (["delete"], "NAME"),
    ],
)
def test_wrong_usage_is_told_before_any_cluster_is_asked(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(words)
    if told:
        assert code == 2
        assert told in capsys.readouterr().err
    else:
        assert code == 1  # right usage: only the cluster is missing


@pytest.mark.parametrize("name", ["deploy", "list", "status", "delete", "logs"])
def test_help_ends_in_examples_and_loads_nothing_heavy(name: str) -> None:
    script = f"""
import sys
from kubectl_wasmai.cli.main import run
run(["{name}", "--help"])
heavy = {{"kubernetes", "rich", "tabulate", "yaml", "msgspec", "pydantic"}} & set(sys.modules)
heavy |= {{module for module in sys.modules if module.startswith("kubectl_wasmai.deploy")}}
sys.exit(f"imported: {{sorted(heavy)}}" if heavy else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert f"kubectl wasmai {name}" in done.stdout.split("Examples:")[1]
