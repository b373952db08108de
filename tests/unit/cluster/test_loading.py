from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_wasmai.cluster.connection import ConnectionOptions
from kubectl_wasmai.cluster.loading import load_target
from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from pathlib import Path

    from kubectl_wasmai.cluster.target import Target

NOTHING = ConnectionOptions()


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod-token")
    (folder / "namespace").write_text("pod-namespace\n")
    (folder / "ca.crt").write_text("PEM")
    return folder


def in_pod(service_account: Path, options: ConnectionOptions = NOTHING, **more: str) -> Target:
    address = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    environ = {"HOME": str(service_account), **address, **more}
    return load_target(options, environ, service_account)


def test_the_first_current_context_wins_as_in_kubectl(one_context: Any) -> None:
    paths = [str(one_context("first")), str(one_context("second"))]
    found = load_target(NOTHING, {"KUBECONFIG": os.pathsep.join(paths)})
    assert found.context == "first"
    found = load_target(NOTHING, {"KUBECONFIG": os.pathsep.join(reversed(paths))})
    assert found.context == "second"


def test_missing_files_and_empty_words_of_the_variable_are_skipped(
    one_context: Any, tmp_path: Path
) -> None:
    names = ["", str(tmp_path / "missing"), str(one_context("dev")), ""]
    found = load_target(NOTHING, {"KUBECONFIG": os.pathsep.join(names)})
    assert found.context == "dev"


def test_the_flag_beats_the_variable_and_the_variable_the_home(
    one_context: Any, tmp_path: Path
) -> None:
    home = one_context(".kube/config").rename
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    home(tmp_path / "home" / ".kube" / "config")
    environ = {"HOME": str(tmp_path / "home")}
    assert load_target(NOTHING, environ).context == ".kube/config"
    environ["KUBECONFIG"] = str(one_context("variable"))
    assert load_target(NOTHING, environ).context == "variable"
    by_flag = ConnectionOptions(kubeconfig=str(one_context("flag")))
    assert load_target(by_flag, environ).context == "flag"


def test_a_missing_file_named_by_flag_is_an_error(tmp_path: Path) -> None:
    options = ConnectionOptions(kubeconfig=str(tmp_path / "missing"))
    with pytest.raises(KubeconfigError, match="no such file"):
        load_target(options, {})


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match=r"cannot read the kubeconfig .*[Dd]irectory"):
        load_target(ConnectionOptions(kubeconfig=str(tmp_path)), {})


def test_one_broken_file_of_several_is_an_error(one_context: Any, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("{")
    names = [str(one_context("dev")), str(tmp_path / "broken")]
    with pytest.raises(KubeconfigError, match="broken is not valid YAML"):
        load_target(NOTHING, {"KUBECONFIG": os.pathsep.join(names)})


def test_without_kubeconfig_and_outside_a_cluster_it_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError) as caught:
        load_target(NOTHING, {"HOME": str(tmp_path)}, tmp_path / "none")
    assert caught.value.message.startswith("no kubeconfig: ~/.kube/config does not exist")
    assert "--kubeconfig" in caught.value.hint


def test_an_empty_kubeconfig_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(KubeconfigError, match="empty is empty"):
        load_target(ConnectionOptions(kubeconfig=str(tmp_path / "empty")), {}, tmp_path)


def test_a_pod_uses_its_service_account(service_account: Path) -> None:
    found = in_pod(service_account)
    assert found.server == "https://10.96.0.1:443"
    assert found.namespace == "pod-namespace"
    assert found.context == ""
    assert found.token_file == str(service_account / "token")
    assert found.ca_file == str(service_account / "ca.crt")


def test_an_ipv6_service_address_gets_brackets(service_account: Path) -> None:
    found = in_pod(service_account, KUBERNETES_SERVICE_HOST="fd00::1")
    assert found.server == "https://[fd00::1]:443"


def test_in_a_pod_flags_and_pod_namespace_count(service_account: Path) -> None:
    assert in_pod(service_account, POD_NAMESPACE="env").namespace == "env"
    options = ConnectionOptions(namespace="flag", token="mine", as_user="jane")
    found = in_pod(service_account, options)
    assert (found.namespace, found.token, found.token_file) == ("flag", "mine", "")
    assert found.impersonation.user == "jane"


def test_a_kubeconfig_beats_the_pods_service_account(
    service_account: Path, one_context: Any
) -> None:
    found = in_pod(service_account, KUBECONFIG=str(one_context("dev")))
    assert found.context == "dev"


def test_a_pod_without_a_token_file_is_no_pod(service_account: Path) -> None:
    (service_account / "token").unlink()
    with pytest.raises(KubeconfigError, match="no kubeconfig"):
        in_pod(service_account)
