from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kubectl_wasmai.cluster.connection import ConnectionOptions
from kubectl_wasmai.cluster.kubeconfig import Kubeconfig, merge, parse
from kubectl_wasmai.cluster.resolve import resolve
from kubectl_wasmai.errors import KubeconfigError


def problem_of(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(KubeconfigError) as caught:
        parse(data, "my.config")
    assert caught.value.hint
    return caught.value.message


def test_an_empty_file_is_an_empty_config_as_in_kubectl() -> None:
    assert parse(b"", "my.config") == Kubeconfig(sources=("my.config",))


def test_nulls_stand_for_absent_entries_as_kubectl_writes_them() -> None:
    config = parse(b"clusters: null\nusers:\n- name: me\n  user: null\ncontexts: null\n", "c")
    assert list(config.users) == ["me"]


def test_bad_yaml_names_file_line_and_column() -> None:
    assert problem_of("clusters:\n  - a: b: c\n").startswith(
        "my.config is not valid YAML: line 2, column 9:"
    )


def test_a_binary_file_is_not_yaml() -> None:
    assert "my.config is not valid YAML" in problem_of(b"\x7fELF\x02\x01\x00\x00\xff\xfe")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("just words", "expected a mapping, got a string at the top level"),
        ("[1, 2]", "expected a mapping, got a list at the top level"),
        ("clusters: 5", "expected a list, got int at clusters"),
        (
            "contexts:\n- name: x\n  context: {namespace: 5}",
            "expected a string, got int at contexts[0].context.namespace",
        ),
        ("kind: Pod", "its kind is 'Pod', not 'Config'"),
        (
            "users: [{name: a, user: {token: [x]}}]",
            "expected a string, got a list at users[0].user.token",
        ),
    ],
)
def test_a_wrong_type_is_named_with_its_place(text: str, words: str) -> None:
    assert words in problem_of(text)


def test_a_name_defined_twice_is_refused_as_in_kubectl() -> None:
    text = "users: [{name: me, user: {}}, {name: me, user: {}}]"
    assert problem_of(text) == "my.config defines the user 'me' twice"


def test_dates_in_foreign_extensions_stay_strings() -> None:
    config = parse(
        b"clusters: [{name: a, cluster: {server: x, extensions: "
        b"[{name: e, extension: {last-update: 2026-01-02}}]}}]",
        "c",
    )
    extensions = config.clusters["a"].extensions
    assert extensions is not None
    assert extensions[0].extension == {"last-update": "2026-01-02"}


def test_paths_are_relative_to_the_file_that_holds_them() -> None:
    config = parse(
        b"clusters: [{name: a, cluster: {server: x, certificate-authority: ca.crt}}]\n"
        b"users: [{name: a, user: {client-certificate: /abs/me.crt, client-key: sub/me.key, "
        b"tokenFile: token, exec: {command: ./bin/login}}}, "
        b"{name: b, user: {exec: {command: aws}}}]",
        "/home/me/.kube/config",
    )
    assert config.clusters["a"].certificate_authority == "/home/me/.kube/ca.crt"
    user = config.users["a"]
    assert user.client_certificate == "/abs/me.crt"
    assert user.client_key == "/home/me/.kube/sub/me.key"
    assert user.token_file == "/home/me/.kube/token"
    assert user.exec is not None
    assert user.exec.command == "/home/me/.kube/./bin/login"
    other = config.users["b"].exec
    assert other is not None
    assert other.command == "aws"


def test_the_first_file_wins_whole_entries_and_the_first_current_context_counts() -> None:
    first = parse(b"users: [{name: red, user: {token: first}}]", "one")
    second = parse(
        b"current-context: b\nusers: [{name: red, user: {username: second}}, "
        b"{name: blue, user: {token: blue}}]",
        "two",
    )
    third = parse(b"current-context: c", "three")
    merged = merge([first, second, third])
    assert merged.current_context == "b"
    assert merged.users["red"].token == "first"
    assert merged.users["red"].username is None
    assert merged.users["blue"].token == "blue"
    assert merged.sources == ("one", "two", "three")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        "name", "cluster", "user", "context", "server", "exec", "command", "args", "env", "as",
        "as-groups", "token", "certificate-authority-data", "proxy-url", "namespace", "dev",
        "https://a:1", "apiVersion", "as-user-extra", "auth-provider", "config",
    ]
)  # fmt: skip
DOCUMENTS = st.recursive(
    SCALARS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            WORDS | st.sampled_from(["clusters", "users", "contexts", "current-context", "kind"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def use(data: bytes) -> None:
    """Whatever the bytes are: a target, or KubeconfigError; any other exception fails the test."""
    try:
        config = parse(data, "c")
        for name in [*config.contexts, ""]:
            resolve(config, ConnectionOptions(context=name))
    except KubeconfigError:
        pass


@given(DOCUMENTS)
def test_any_document_is_a_config_or_a_kubeconfig_error(document: object) -> None:
    use(yaml.safe_dump(document).encode())


@given(
    st.fixed_dictionaries(
        {
            "current-context": st.just("dev"),
            "contexts": st.just([{"name": "dev", "context": {"cluster": "dev", "user": "dev"}}]),
            "clusters": st.lists(
                st.fixed_dictionaries({"name": st.just("dev"), "cluster": DOCUMENTS}), max_size=1
            ),
            "users": st.lists(
                st.fixed_dictionaries({"name": st.just("dev"), "user": DOCUMENTS}), max_size=1
            ),
        }
    )
)
def test_any_cluster_and_user_entry_is_usable_or_a_kubeconfig_error(document: object) -> None:
    use(yaml.safe_dump(document).encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"&a [*a]")
@example(b"clusters: &a [*a]")
@example(b"a: &a {b: *a}\nextensions: *a")
@example(b"[" * 5000)
@example(b"1: !!python/object:os.system x")
@example(b"clusters: [{name: {}}]")
@example(b"? {a: b}\n: c")
@example(b"!!timestamp 9999-99-99")
@example(b"!!float x")
@example(b"!!int ''")
@example(b"=")
@example(b"users: [{name: x, user: {as: \xed\xa0\x80}}]")
def test_any_bytes_are_a_config_or_a_kubeconfig_error(data: bytes) -> None:
    use(data)
