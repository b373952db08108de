from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import container, deployment, pod, pod_spec, runtime_class, snapshot
from examining import result

from kubectl_wasmai.doctor import examine

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry

LLAMA = ["/llama-api-server.wasm", "--model-name", "m", "--prompt-template", "chatml"]


def answer(each: dict[str, Any], *, ready: bool = False) -> CheckEntry:
    web = deployment(spec=pod_spec(each))
    seen = snapshot(web, pod(owner=web, ready=ready), runtime_class())
    return result(examine(seen), "ports-agree")


def probing(port: int | str, path: str = "/v1/models", **more: Any) -> dict[str, Any]:
    return container(readinessProbe={"httpGet": {"path": path, "port": port}}, **more)


@pytest.mark.parametrize(
    "arguments", [["--port", "8080"], ["--port=8080"], ["--socket-addr", "0.0.0.0:8080"]]
)
def test_arguments_and_probe_that_agree_pass(arguments: list[str]) -> None:
    assert answer(probing(8080, args=arguments)).status.value == "PASS"


def test_a_probe_at_another_port_than_the_arguments_say_is_a_warning_before_it_fails() -> None:
    told = answer(probing(8080, args=["--port", "9090"]))

    assert told.status.value == "WARN"
    assert told.reason == "main: readinessProbe asks port 8080, but --port 9090"


def test_a_pod_that_is_ready_overrules_what_is_written() -> None:
    assert answer(probing(8080, args=["--port", "9090"]), ready=True).status.value == "PASS"


def test_a_port_name_that_no_container_port_has_is_told() -> None:
    told = answer(probing("http", args=["--port", "8080"]))

    assert "a port by a name that no containerPort has" in told.reason


def test_a_server_bound_to_its_own_container_is_told() -> None:
    told = answer(probing(8080, args=["--socket-addr", "127.0.0.1:8080"]))

    assert "from inside the container alone" in told.reason


def test_a_container_port_that_is_not_the_server_s_is_told() -> None:
    each = probing(8080, env=[{"name": "PORT", "value": "8080"}], ports=[{"containerPort": 80}])

    assert answer(each).reason == "main: containerPort 80, but PORT=8080"


@pytest.mark.parametrize(
    ("path", "status"), [("/health", "WARN"), ("/v1/models", "PASS"), ("/echo", "PASS")]
)
def test_what_llama_api_server_answers_is_known(path: str, status: str) -> None:
    assert answer(probing(8080, path, command=LLAMA)).status.value == status


def test_llama_api_server_s_own_port_is_known() -> None:
    assert answer(probing(9000, command=LLAMA)).status.value == "WARN"


def test_where_nothing_tells_the_port_there_is_nothing_to_compare() -> None:
    assert answer(probing(8080)).status.value == "SKIP"
    assert answer(container(readinessProbe=None)).status.value == "SKIP"
