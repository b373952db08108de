from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.cluster import exec_plugin
from kubectl_wasmai.cluster.credentials import Credentials
from kubectl_wasmai.cluster.target import ExecConfig, Target
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"
Plugin = Callable[..., ExecConfig]


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """A plugin that is the given shell script."""

    def make(script: str, **settings: Any) -> ExecConfig:
        path = tmp_path / "login"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        settings.setdefault("interactive_mode", "Never")
        return ExecConfig(command=str(path), api_version=V1, **settings)

    return make


def credential(api_version: str = V1, **status: Any) -> str:
    document = {"apiVersion": api_version, "kind": "ExecCredential", "status": status}
    return f"cat <<'END'\n{json.dumps(document)}\nEND"


def run(config: ExecConfig, **target: Any) -> exec_plugin.Credential:
    return exec_plugin.run(Target("https://a", exec=config, **target), config)


def problem(config: ExecConfig) -> KubeconfigError:
    with pytest.raises(KubeconfigError) as caught:
        run(config)
    assert caught.value.hint
    return caught.value


def test_a_token_with_expiry_is_read(plugin: Plugin) -> None:
    script = credential(token="t", expirationTimestamp="2026-01-02T03:04:05Z")
    found = run(plugin(script))
    assert (found.token, found.expires) == ("t", 1767323045.0)


def test_a_plugin_that_fails_is_quoted_in_its_own_words(plugin: Plugin) -> None:
    error = problem(plugin("echo 'session expired: run sso login' >&2; exit 3"))
    assert "login failed with exit code 3:\nsession expired: run sso login" in error.message


def test_a_plugin_cannot_move_the_cursor_through_our_message(plugin: Plugin) -> None:
    error = problem(plugin(r"printf '\033[2Jgone\007' >&2; exit 1"))
    assert "U+001B[2JgoneU+0007" in error.message


def test_a_missing_plugin_shows_its_install_hint() -> None:
    config = ExecConfig("no-such-login", V1, install_hint="brew install login\x1b[1m")
    error = problem(config)
    assert error.message == "exec: executable no-such-login not found"
    assert error.hint == "brew install loginU+001B[1m"


def test_a_missing_plugin_without_hint_is_explained() -> None:
    assert "credential plugin" in problem(ExecConfig("no-such-login", V1)).hint


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo garbage", "printed no ExecCredential"),
        ("true", "printed no ExecCredential"),
        ("echo '{}'", "is configured to use API version"),
        (credential("client.authentication.k8s.io/v1beta1", token="t"), "returned ExecCredential"),
        (f"""echo '{{"apiVersion":"{V1}","kind":"ExecCredential"}}'""", "return a status field"),
        (credential(), "didn't return a token or cert/key pair"),
        (credential(clientCertificateData="x"), "returned only certificate or key, not both"),
        (credential(token=5), "printed no ExecCredential"),
    ],
)
def test_an_answer_that_is_no_credential_is_refused(
    plugin: Plugin, script: str, words: str
) -> None:
    assert words in problem(plugin(script)).message


def test_a_plugin_that_may_not_be_executed_says_so(plugin: Plugin, tmp_path: Path) -> None:
    config = plugin("true")
    (tmp_path / "login").chmod(0o600)
    assert "could not be run" in problem(config).message


def test_a_plugin_that_must_ask_needs_a_terminal(plugin: Plugin) -> None:
    config = plugin("true", interactive_mode="Always")
    assert "standard input is not a terminal" in problem(config).message


def test_the_plugin_gets_its_environment_and_what_it_is_asked(
    plugin: Plugin, tmp_path: Path
) -> None:
    script = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; ' + credential(token="t")
    run(plugin(f'test "$REGION" = eu || exit 9; {script}', env=(("REGION", "eu"),)))
    info = json.loads((tmp_path / "info").read_text())
    assert info == {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False}}


def test_the_plugin_gets_the_cluster_when_it_wants_it(plugin: Plugin, tmp_path: Path) -> None:
    script = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; ' + credential(token="t")
    config = plugin(script, provide_cluster_info=True)
    run(config, ca_data=b"PEM", exec_extension={"audience": "x"}, tls_server_name="inner")
    cluster = json.loads((tmp_path / "info").read_text())["spec"]["cluster"]
    assert cluster == {
        "server": "https://a",
        "config": {"audience": "x"},
        "tls-server-name": "inner",
        "certificate-authority-data": "UEVN",
    }


def credentials(config: ExecConfig, **target: Any) -> Credentials:
    return Credentials(Target("https://a", exec=config, **target), lambda _text: None)


def counting(tmp_path: Path) -> str:
    return f"echo x >> {tmp_path}/runs; "


def runs(tmp_path: Path) -> int:
    file = tmp_path / "runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_a_plugin_runs_once_until_its_credential_expires(plugin: Plugin, tmp_path: Path) -> None:
    script = counting(tmp_path) + credential(token="t", expirationTimestamp="2999-01-01T00:00:00Z")
    found = credentials(plugin(script))
    assert [found.authorization() for _ in range(3)] == ["Bearer t"] * 3
    assert runs(tmp_path) == 1
    stale = credentials(plugin(script.replace("2999", "1999")))
    _ = [stale.authorization() for _ in range(2)]
    assert runs(tmp_path) == 3


def test_a_refused_credential_is_fetched_again(plugin: Plugin, tmp_path: Path) -> None:
    found = credentials(plugin(counting(tmp_path) + credential(token="t")))
    assert found.authorization() == "Bearer t"
    assert found.renew()
    assert found.authorization() == "Bearer t"
    assert runs(tmp_path) == 2


@pytest.mark.parametrize("given", [{"token": "mine"}, {"username": "u"}, {"cert_data": b"c"}])
def test_other_credentials_keep_the_plugin_from_running(
    plugin: Plugin, given: dict[str, Any]
) -> None:
    found = credentials(plugin("exit 1"), **given)
    assert not found.authorization().endswith("plugin")


def test_nobody_is_identified_over_plain_http(plugin: Plugin) -> None:
    target = Target("http://a", exec=plugin("exit 1"), token_file="/missing")
    assert Credentials(target, lambda _text: None).authorization() == ""


def test_what_a_plugin_says_though_it_succeeds_is_a_warning(plugin: Plugin) -> None:
    said: list[str] = []
    script = "echo 'version 2 is out' >&2; " + credential(token="t")
    Credentials(Target("https://a", exec=plugin(script)), said.append).authorization()
    assert said == ["version 2 is out"]


def test_a_token_file_is_read_again_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    found = Credentials(Target("https://a", token_file=str(file)), lambda _text: None)
    assert found.authorization() == "Bearer one"
    file.write_text("two\n")
    assert found.authorization() == "Bearer one"
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert found.authorization() == "Bearer two"


def test_the_last_token_outlives_a_file_that_is_being_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    found = Credentials(Target("https://a", token_file=str(file)), lambda _text: None)
    found.authorization()
    file.unlink()
    found.renew()
    assert found.authorization() == "Bearer one"


def test_a_missing_token_file_is_an_error() -> None:
    found = Credentials(Target("https://a", token_file="/no/token"), lambda _text: None)
    with pytest.raises(KubeconfigError, match="cannot read the token file /no/token"):
        found.authorization()


def test_a_removed_auth_provider_names_its_successor() -> None:
    target = Target("https://a", auth_provider=("gcp", {}))
    with pytest.raises(KubeconfigError, match="'gcp' is not supported") as caught:
        Credentials(target, lambda _text: None).authorization()
    assert "exec credential plugin" in caught.value.hint


def test_an_oidc_token_is_used_while_it_is_good_and_refused_when_it_is_none() -> None:
    jwt = "e30.eyJleHAiOjMyNTAzNjgwMDAwfQ.c2ln"  # {} . {"exp": in the year 3000} . sig
    target = Target("https://a", auth_provider=("oidc", {"id-token": jwt}))
    assert Credentials(target, lambda _text: None).authorization() == f"Bearer {jwt}"
    broken = Target("https://a", auth_provider=("oidc", {"id-token": "x"}))
    with pytest.raises(KubeconfigError, match="'oidc' gave no token"):
        Credentials(broken, lambda _text: None).authorization()


def test_the_plugins_own_environment_lies_over_ours(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "REGION", "us")
    script = 'test "$REGION" = eu || exit 9; ' + credential(token="t")
    assert run(plugin(script, env=(("REGION", "eu"),))).token == "t"
