from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.cluster.connection import ConnectionOptions
from kubectl_wasmai.cluster.kubeconfig import parse
from kubectl_wasmai.cluster.loading import load_target
from kubectl_wasmai.cluster.resolve import server_url
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_wasmai.cluster.target import Target


def target(path: Path, **flags: Any) -> Target:
    return load_target(ConnectionOptions(kubeconfig=str(path), **flags), {})


def problem(path: Path, **flags: Any) -> str:
    with pytest.raises(KubeconfigError) as caught:
        target(path, **flags)
    assert caught.value.hint
    return caught.value.message


def test_the_current_context_chooses_server_namespace_and_user(one_context: Any) -> None:
    found = target(one_context("dev", namespace="shop"))
    assert (found.context, found.namespace) == ("dev", "shop")
    assert (found.server, found.token) == ("https://dev.example:6443", "token-of-dev")


def test_without_any_namespace_it_is_default(one_context: Any) -> None:
    assert target(one_context("dev")).namespace == "default"


def test_flags_choose_context_cluster_user_and_namespace(write_kubeconfig: Any) -> None:
    path = write_kubeconfig(
        current="a",
        contexts={n: {"cluster": n, "user": n, "namespace": n} for n in ("a", "b")},
        clusters={n: {"server": f"https://{n}"} for n in ("a", "b", "c")},
        users={n: {"token": n} for n in ("a", "b", "d")},
    )
    found = target(path, context="b", cluster="c", user="d", namespace="n")
    assert (found.context, found.namespace) == ("b", "n")
    assert (found.server, found.token) == ("https://c", "d")


def test_a_flag_token_beats_token_file_and_token(one_context: Any) -> None:
    found = target(one_context(user={"token": "old", "tokenFile": "f"}), token="new")
    assert (found.token, found.token_file) == ("new", "")


def test_another_server_drops_the_server_name_of_the_kubeconfig(one_context: Any) -> None:
    path = one_context(**{"tls-server-name": "inner"})
    assert target(path).tls_server_name == "inner"
    assert target(path, server="https://other").tls_server_name == ""
    found = target(path, server="https://other", tls_server_name="flag")
    assert found.tls_server_name == "flag"


def test_insecure_by_flag_drops_the_authority_of_the_kubeconfig(one_context: Any) -> None:
    data = base64.b64encode(b"PEM").decode()
    found = target(
        one_context(**{"certificate-authority-data": data}), insecure_skip_tls_verify=True
    )
    assert found.insecure
    assert found.ca_data == b""


def test_an_authority_by_flag_replaces_insecure_and_inline_data(one_context: Any) -> None:
    path = one_context(**{"insecure-skip-tls-verify": True})
    found = target(path, certificate_authority="/ca.crt")
    assert (found.insecure, found.ca_file) == (False, "/ca.crt")


def test_server_alone_needs_no_kubeconfig(tmp_path: Path) -> None:
    options = ConnectionOptions(server="https://1.2.3.4:6443/", token="t")
    found = load_target(options, {"HOME": str(tmp_path)})
    assert (found.server, found.token, found.context) == ("https://1.2.3.4:6443", "t", "")


def test_impersonation_comes_from_the_user_entry_and_flags_lie_over_it(one_context: Any) -> None:
    user: dict[str, Any] = {"token": "t", "as": "jane", "as-groups": ["dev"], "as-uid": "7"}
    user["as-user-extra"] = {"example.org/scopes": ["read", "write"]}
    headers = target(one_context(user=user)).impersonation.headers()
    assert headers == [
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Extra-example.org%2fscopes", "read"),
        ("Impersonate-Extra-example.org%2fscopes", "write"),
    ]
    found = target(one_context(user=user), as_user="joe", as_groups=("a", "b"))
    assert found.impersonation.user == "joe"
    assert found.impersonation.groups == ("a", "b")


def test_a_group_without_a_user_to_act_as_is_refused(one_context: Any) -> None:
    assert "without impersonating a user" in problem(one_context(), as_groups=("dev",))
    assert "without impersonating a user" in problem(one_context(), as_uid="1")


def test_dangling_names_say_what_is_known(write_kubeconfig: Any, one_context: Any) -> None:
    assert "context 'nope' does not exist" in problem(one_context(), context="nope")
    assert "cluster 'nope' does not exist" in problem(one_context(), cluster="nope")
    assert "user 'nope' does not exist" in problem(one_context(), user="nope")
    with pytest.raises(KubeconfigError, match="'gone'") as caught:
        target(write_kubeconfig(current="gone", contexts={"here": {}}))
    assert "known contexts: here" in caught.value.hint


def test_a_context_of_undefined_parts_is_refused(write_kubeconfig: Any) -> None:
    contexts = {"dev": {"cluster": "c", "user": "u"}}
    clusters = {"c": {"server": "https://c"}}
    no_cluster = write_kubeconfig(current="dev", contexts=contexts, users={"u": {}})
    assert problem(no_cluster) == "cluster 'c' was not found for context 'dev'"
    no_user = write_kubeconfig(current="dev", contexts=contexts, clusters=clusters)
    assert problem(no_user) == "user 'u' was not found for context 'dev'"
    assert target(no_user, token="t").token == "t"


def test_a_context_without_a_user_is_anonymous(write_kubeconfig: Any) -> None:
    path = write_kubeconfig(
        current="dev", contexts={"dev": {"cluster": "c"}}, clusters={"c": {"server": "https://c"}}
    )
    assert target(path).token == ""


def test_contexts_without_a_current_one_ask_for_a_choice(write_kubeconfig: Any) -> None:
    path = write_kubeconfig(contexts={"dev": {}})
    assert "no context is chosen" in problem(path)


EXEC = {"command": "login", "apiVersion": "client.authentication.k8s.io/v1"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"token": "t", "username": "u"}, "more than one authentication method"),
        ({"client-certificate": "c.crt"}, "without its key"),
        ({"client-certificate": "c", "client-certificate-data": "eA=="}, "are both specified"),
        ({"client-key": "k", "client-key-data": "eA=="}, "are both specified"),
        ({"client-key-data": "%%%"}, "client-key-data is not base64"),
        ({"exec": EXEC, "auth-provider": {"name": "oidc"}}, "both exec and auth-provider"),
        ({"exec": {**EXEC, "command": ""}}, "command must be specified"),
        ({"exec": EXEC}, "interactiveMode '' is none of"),
        ({"exec": {**EXEC, "apiVersion": "v9"}}, "apiVersion 'v9' is none of"),
        (
            {"exec": {**EXEC, "interactiveMode": "Never", "env": [{"value": "v"}]}},
            "env variable name",
        ),
    ],
)
def test_a_contradictory_user_is_refused(one_context: Any, user: Any, words: str) -> None:
    assert words in problem(one_context(user=user))


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ({"server": ""}, "no server found for cluster 'dev'"),
        ({"server": "https://"}, "neither a URL nor host:port"),
        ({"server": "ftp://x"}, "neither a URL nor host:port"),
        ({"server": "https://x:99999"}, "neither a URL nor host:port"),
        ({"proxy-url": "gopher://x"}, "unsupported scheme 'gopher'"),
        (
            {"certificate-authority": "x", "certificate-authority-data": "eA=="},
            "are both specified",
        ),
        ({"certificate-authority": "x", "insecure-skip-tls-verify": True}, "has a certificate"),
    ],
)
def test_a_contradictory_cluster_is_refused(one_context: Any, cluster: Any, words: str) -> None:
    assert words in problem(one_context(**cluster))


def test_old_plugins_need_not_say_whether_they_are_interactive(one_context: Any) -> None:
    old = {**EXEC, "apiVersion": "client.authentication.k8s.io/v1beta1"}
    plugin = target(one_context(user={"exec": old})).exec
    assert plugin is not None
    assert plugin.interactive_mode == "IfAvailable"


def test_base64_may_be_broken_into_lines() -> None:
    text = "clusters: [{name: a, cluster: {server: 'https://a', certificate-authority-data: x}}]"
    config = parse(text.replace("x}", '"UE\\nVN\\r\\n"}').encode(), "c")
    assert config.clusters["a"].certificate_authority_data == "UE\nVN\r\n"


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("https://a:6443/", "https://a:6443"),
        ("HTTPS://a", "https://a"),
        ("localhost:8080", "http://localhost:8080"),
        ("https://rancher/k8s/clusters/c-1?x=1#y", "https://rancher/k8s/clusters/c-1"),
        ("https://[::1]:6443", "https://[::1]:6443"),
    ],
)
def test_a_server_becomes_a_plain_url(server: str, url: str) -> None:
    assert server_url(server) == url
