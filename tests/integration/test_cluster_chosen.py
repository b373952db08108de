"""Which cluster, namespace and identity: ours beside the real kubectl's."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.errors import Forbidden, KubeconfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasmlab.control_plane import ControlPlane

    from kubectl_wasmai.cluster import Cluster

pytestmark = pytest.mark.integration

FLAGS = {
    "kubeconfig": "--kubeconfig",
    "context": "--context",
    "cluster": "--cluster",
    "user": "--user",
    "namespace": "--namespace",
    "server": "--server",
    "token": "--token",
    "as_user": "--as",
    "as_uid": "--as-uid",
    "tls_server_name": "--tls-server-name",
    "certificate_authority": "--certificate-authority",
    "client_certificate": "--client-certificate",
    "client_key": "--client-key",
}


def as_flags(given: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in given.items():
        if name == "as_groups":
            words += [f"--as-group={group}" for group in value]
        elif name == "insecure_skip_tls_verify":
            words.append("--insecure-skip-tls-verify")
        elif name in FLAGS:
            words.append(f"{FLAGS[name]}={value}")
    return words


def environ_of(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name.isupper()}


@pytest.fixture
def same_place(kubectl: Any, connected: Any) -> Callable[..., tuple[str, str]]:
    """Ask both, assert that they ask the same server for the same namespace, and return these."""

    def ask(**given: Any) -> tuple[str, str]:
        done = kubectl("get", "configmaps", "-v=6", *as_flags(given), **environ_of(given))
        found = re.search(
            r'url="(\S+?)/api/v1/namespaces/([^/]+)/configmaps', done.stdout + done.stderr
        )
        assert found, done.stderr
        theirs = (found[1], found[2])
        ours = connected(**given)
        assert (ours.server, ours.namespace) == theirs
        return theirs

    return ask


@pytest.fixture
def same_user(whoami: Any, kubectl_whoami: Any, connected: Any) -> Callable[..., dict[str, Any]]:
    """Ask both who they are, assert that the API server knows them as the same, and return it."""

    def without_trace(info: dict[str, Any]) -> dict[str, Any]:
        extra = dict(info.get("extra", {}))
        extra.pop("authentication.kubernetes.io/credential-id", None)
        return {**info, "extra": extra}

    def ask(**given: Any) -> dict[str, Any]:
        theirs = kubectl_whoami(*as_flags(given), **environ_of(given))
        ours = whoami(connected(**given))
        assert without_trace(ours) == without_trace(theirs)
        return without_trace(ours)

    return ask


@pytest.fixture
def two_files(kubeconfig: Any, control_plane: ControlPlane) -> tuple[Path, Path]:
    """Two kubeconfigs that both set a current context; the second calls the server localhost."""
    other = control_plane.url.replace("127.0.0.1", "localhost")
    return (
        kubeconfig("first", namespace="one"),
        kubeconfig("second", namespace="two", cluster={"server": other}),
    )


def joined(*paths: Path | str) -> str:
    return os.pathsep.join(map(str, paths))


def test_the_first_current_context_wins_as_in_kubectl(
    two_files: tuple[Path, Path], same_place: Any
) -> None:
    first, second = two_files
    assert same_place(KUBECONFIG=joined(first, second))[1] == "one"
    assert same_place(KUBECONFIG=joined(second, first))[1] == "two"
    assert same_place(KUBECONFIG=joined("/missing", "", second))[1] == "two"


def test_flags_choose_over_the_files_as_in_kubectl(
    two_files: tuple[Path, Path], same_place: Any
) -> None:
    both = joined(*two_files)
    server = two_files[1]
    assert same_place(KUBECONFIG=both, context="second")[1] == "two"
    assert same_place(KUBECONFIG=both, namespace="three")[1] == "three"
    assert same_place(KUBECONFIG=both, kubeconfig=server)[1] == "two"
    assert "localhost" in same_place(KUBECONFIG=both, cluster="second")[0]
    assert same_place(KUBECONFIG=both, context="second", cluster="first", namespace="x")[1] == "x"


def test_the_file_in_the_home_is_the_last_resort_as_in_kubectl(
    two_files: tuple[Path, Path], same_place: Any, clean_environ: dict[str, str]
) -> None:
    first, second = two_files
    home = clean_environ["HOME"]
    os.mkdir(f"{home}/.kube")  # noqa: PTH102 - a string is at hand
    second.rename(f"{home}/.kube/config")
    assert same_place()[1] == "two"
    assert same_place(KUBECONFIG=first)[1] == "one"


def test_a_server_flag_counts_as_in_kubectl(
    kubeconfig: Any, control_plane: ControlPlane, same_place: Any, same_user: Any
) -> None:
    other = control_plane.url.replace("127.0.0.1", "localhost")
    path = kubeconfig(cluster={"server": "https://127.0.0.1:1"})
    assert same_place(kubeconfig=path, server=other)[0] == other
    assert same_user(kubeconfig=path, server=other)["username"] == "admin"


def test_the_first_file_to_define_a_user_wins_whole_as_in_kubectl(
    kubeconfig: Any, same_user: Any, tmp_path: Path
) -> None:
    jane = kubeconfig(identity=("jane", ("devs",))).rename(tmp_path / "jane")
    admin = kubeconfig().rename(tmp_path / "admin")
    assert same_user(KUBECONFIG=joined(jane, admin))["username"] == "jane"
    assert same_user(KUBECONFIG=joined(admin, jane))["username"] == "admin"


@pytest.mark.parametrize("given", [{"context": "nope"}, {"cluster": "nope"}, {"user": "nope"}])
def test_a_name_that_dangles_is_refused_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any, given: dict[str, Any]
) -> None:
    path = kubeconfig()
    done = kubectl("get", "configmaps", f"--kubeconfig={path}", *as_flags(given))
    assert done.returncode == 1
    assert "nope" in done.stderr
    with pytest.raises(KubeconfigError, match="'nope' does not exist"):
        connected(kubeconfig=path, **given)


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "error loading config file"), ("kind: Pod", "error loading config file")],
)
def test_a_broken_kubeconfig_is_refused_as_in_kubectl(
    kubectl: Any, connected: Any, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(content)
    done = kubectl("get", "configmaps", f"--kubeconfig={path}")
    assert done.returncode == 1
    assert words in done.stderr
    with pytest.raises(KubeconfigError, match=str(path)):
        connected(kubeconfig=path)


def test_without_a_kubeconfig_kubectl_tries_localhost_and_we_say_what_is_missing(
    kubectl: Any, connected: Any
) -> None:
    assert "localhost:8080" in kubectl("get", "configmaps").stderr
    with pytest.raises(KubeconfigError, match="no kubeconfig"):
        connected()


def test_impersonation_of_the_user_entry_is_honoured_as_in_kubectl(
    kubeconfig: Any, same_user: Any
) -> None:
    acting: dict[str, Any] = {"as": "jane", "as-uid": "7", "as-groups": ["devs", "ops"]}
    acting["as-user-extra"] = {"example.org/scopes": ["read", "write"]}
    found = same_user(kubeconfig=kubeconfig(user=acting))
    assert (found["username"], found["uid"]) == ("jane", "7")
    assert found["groups"] == ["devs", "ops", "system:authenticated"]
    assert found["extra"] == {"example.org/scopes": ["read", "write"]}


def test_impersonation_flags_are_honoured_as_in_kubectl(kubeconfig: Any, same_user: Any) -> None:
    path = kubeconfig(user={"as": "joe", "as-groups": ["gone"]})
    found = same_user(kubeconfig=path, as_user="jane", as_groups=("a", "b"), as_uid="9")
    assert (found["username"], found["uid"]) == ("jane", "9")
    assert found["groups"] == ["a", "b", "system:authenticated"]


def test_a_group_without_a_user_is_refused_as_in_kubectl(
    kubeconfig: Any, kubectl: Any, connected: Any
) -> None:
    path = kubeconfig()
    done = kubectl("get", "configmaps", f"--kubeconfig={path}", "--as-group=devs")
    assert done.returncode == 1
    assert "without impersonating a user" in done.stderr
    with pytest.raises(KubeconfigError, match="without impersonating a user"):
        connected(kubeconfig=path, as_groups=("devs",))


def test_who_may_not_impersonate_is_told_so(kubeconfig: Any, connected: Any, whoami: Any) -> None:
    path = kubeconfig(identity=("jane", ()))
    with pytest.raises(Forbidden) as caught:
        whoami(connected(kubeconfig=path, as_user="admin"))
    assert (caught.value.verb, caught.value.resource) == ("impersonate", "users")


@pytest.fixture
def token(admin: Cluster, namespace: str) -> str:
    """A service account's token, as a pod would hold it."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    admin.request("POST", path, body=account)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = admin.request("POST", f"{path}/robot/token", body=review).json()
    return str(answer["status"]["token"])


def test_tokens_are_sent_as_in_kubectl(
    kubeconfig: Any, same_user: Any, token: str, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{token}\n")
    for user in ({"token": token}, {"tokenFile": "token"}):
        found = same_user(kubeconfig=kubeconfig(alone=True, user=user))
        assert found["username"].endswith(":robot")
    by_flag = kubeconfig(alone=True, user={"tokenFile": "missing"})
    assert same_user(kubeconfig=kubeconfig(alone=True), token=token)["username"].endswith(":robot")
    assert by_flag.exists()


def test_client_certificates_in_files_are_relative_to_the_kubeconfig_as_in_kubectl(
    kubeconfig: Any, same_user: Any, control_plane: ControlPlane, tmp_path: Path
) -> None:
    jane = control_plane.ca.issue("jane", ["devs"])
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "jane.crt").write_bytes(jane.certificate.read_bytes())
    (tmp_path / "pki" / "jane.key").write_bytes(jane.key.read_bytes())
    user = {"client-certificate": "pki/jane.crt", "client-key": "pki/jane.key"}
    assert same_user(kubeconfig=kubeconfig(alone=True, user=user))["username"] == "jane"
    flags = {"client_certificate": jane.certificate, "client_key": jane.key}
    assert same_user(kubeconfig=kubeconfig(alone=True), **flags)["username"] == "jane"


def test_inline_keys_leave_no_file_behind(
    kubeconfig: Any, connected: Any, whoami: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert whoami(connected(kubeconfig=kubeconfig()))["username"] == "admin"
    assert list(folder.iterdir()) == []


def test_a_pod_is_its_service_account(
    connected: Any,
    whoami: Any,
    control_plane: ControlPlane,
    token: str,
    namespace: str,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text(token)
    (folder / "namespace").write_text(namespace)
    (folder / "ca.crt").write_bytes(control_plane.ca.certificate.read_bytes())
    host, _, port = control_plane.url.removeprefix("https://").partition(":")
    pod = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    cluster = connected(service_account=folder, **pod)
    assert whoami(cluster)["username"] == f"system:serviceaccount:{namespace}:robot"
    assert (cluster.context, cluster.namespace) == ("", namespace)


def test_a_kubeconfig_of_two_hundred_contexts_is_read_as_kubectl_reads_it(
    kubeconfig: Any, same_place: Any, tmp_path: Path
) -> None:
    document = json.loads(kubeconfig("dev", namespace="right").read_text())
    for kind, entry in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        document[kind] += [{"name": f"c{n}", entry: document[kind][0][entry]} for n in range(200)]
    path = tmp_path / "large"
    path.write_text(json.dumps(document))
    assert same_place(kubeconfig=path, context="c199")[1] == "right"
