"""Credential plugins: ours beside the real kubectl's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.errors import (
    KubeconfigError,
)
from kubectl_wasmai.resources import Resource

if TYPE_CHECKING:
    from pathlib import Path

    from wasmlab.control_plane import ControlPlane


pytestmark = pytest.mark.integration

CONFIG_MAP = Resource("ConfigMap", "configmaps")
V1 = "client.authentication.k8s.io/v1"


def failing_plugin(tmp_path: Path, script: str, **settings: Any) -> dict[str, Any]:
    path = tmp_path / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    plugin = {"apiVersion": V1, "command": str(path), "interactiveMode": "Never", **settings}
    return {"exec": plugin}


@pytest.mark.parametrize(
    ("script", "theirs", "ours"),
    [
        (
            "echo 'session expired' >&2; exit 3",
            ["session expired", "failed with exit code 3"],
            ["session expired", "failed with exit code 3"],
        ),
        ("echo garbage", ["decoding stdout"], ["printed no ExecCredential"]),
        (
            f"""echo '{{"apiVersion":"{V1}","kind":"ExecCredential","status":{{}}}}'""",
            ["didn't return a token or cert/key pair"],
            ["didn't return a token or cert/key pair"],
        ),
    ],
)
def test_a_failing_plugin_ends_the_command_as_in_kubectl(
    kubeconfig: Any,
    kubectl: Any,
    connected: Any,
    tmp_path: Path,
    script: str,
    theirs: list[str],
    ours: list[str],
) -> None:
    path = kubeconfig(alone=True, user=failing_plugin(tmp_path, script))
    done = kubectl("get", "configmaps", f"--kubeconfig={path}")
    assert done.returncode == 1
    for words in theirs:
        assert words in done.stderr
    cluster = connected(kubeconfig=path)
    with pytest.raises(KubeconfigError) as caught:
        cluster.version()
    for words in ours:
        assert words in caught.value.message
    assert cluster.stats.requests == 0  # nothing went out without credentials


def test_a_missing_plugin_shows_its_install_hint_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    plugin = {"apiVersion": V1, "command": "no-such-login", "interactiveMode": "Never"}
    plugin["installHint"] = "install it from the intranet"
    path = kubeconfig(alone=True, user={"exec": plugin})
    done = kubectl("get", "configmaps", f"--kubeconfig={path}")
    assert done.returncode == 1
    for words in ("exec: executable no-such-login not found", "install it from the intranet"):
        assert words in done.stderr
    with pytest.raises(KubeconfigError, match="exec: executable no-such-login not found") as caught:
        connected(kubeconfig=path).version()
    assert caught.value.hint == "install it from the intranet"


def test_a_plugins_client_certificate_is_used_as_in_kubectl(
    kubeconfig: Any,
    kubectl_whoami: Any,
    connected: Any,
    whoami: Any,
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    jane = control_plane.ca.issue("jane", ["devs"])
    status = {
        "clientCertificateData": jane.certificate.read_text(),
        "clientKeyData": jane.key.read_text(),
    }
    answer = tmp_path / "answer"
    answer.write_text(json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}))
    path = kubeconfig(alone=True, user=failing_plugin(tmp_path, f"cat {answer}"))
    assert kubectl_whoami(f"--kubeconfig={path}")["username"] == "jane"
    assert whoami(connected(kubeconfig=path))["username"] == "jane"


def test_a_plugin_is_interactive_when_stdin_is_a_terminal_as_in_kubectl(
    kubeconfig: Any, tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    script = f'echo "$KUBERNETES_EXEC_INFO" >> {tmp_path}/asked; exit 1'
    user = failing_plugin(tmp_path, script, interactiveMode="IfAvailable")
    path = kubeconfig(alone=True, user=user)
    ours = (
        "from kubectl_wasmai.cluster import *; "
        f"connect(ConnectionOptions(kubeconfig={str(path)!r})).version()"
    )
    for command in (["kubectl", "version", f"--kubeconfig={path}"], [sys.executable, "-c", ours]):
        terminal, inside = os.openpty()
        try:
            subprocess.run(
                command,
                stdin=inside,
                capture_output=True,
                env={**clean_environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                check=False,
                timeout=60,
            )
        finally:
            os.close(terminal)
            os.close(inside)
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text().split("\n") if line]
    assert len(asked) >= 2
    assert {one["spec"]["interactive"] for one in asked} == {True}
