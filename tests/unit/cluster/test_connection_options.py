"""The command line's side: kubectl's flags, durations and booleans."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.cli.options import (
    Duration,
    KubectlCommand,
    cluster_options,
    kube_bool,
    parse_duration,
)
from kubectl_wasmai.cluster.connection import ConnectionOptions


@click.command(cls=KubectlCommand)
@click.argument("words", nargs=-1)
@click.option("-o", "--output", default="")
@kube_bool("--wait", default=True, help="Wait for it.")
@click.option("--timeout", type=Duration(negative=True), default="30s")
@cluster_options
def command(connection: ConnectionOptions, **values: Any) -> None:
    click.echo(json.dumps({**values, "connection": asdict(connection)}))


def read(*args: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 0, result.output
    decoded: dict[str, Any] = json.loads(result.output)
    return decoded


def connection(*args: str) -> dict[str, Any]:
    found: dict[str, Any] = read(*args)["connection"]
    return {name: value for name, value in found.items() if value not in (None, False, [])}


def test_nothing_given_is_nothing_said() -> None:
    assert connection() == {}


def test_every_connection_flag_reaches_its_field() -> None:
    names = {
        "as": "as_user",
        "as-group": "as_groups",
        "request-timeout": "request_timeout",
        "insecure-skip-tls-verify": "insecure_skip_tls_verify",
    }
    flags = [
        *["namespace", "context", "cluster", "user", "kubeconfig", "server", "token"],
        *["tls-server-name", "certificate-authority", "client-certificate", "client-key"],
        *["as", "as-uid"],
    ]
    given_flags = [word for flag in flags for word in (f"--{flag}", f"value of {flag}")]
    more = ["--as-group", "a", "--as-group=b", "--request-timeout=5s", "--insecure-skip-tls-verify"]
    expected: dict[str, Any] = {
        names.get(flag, flag.replace("-", "_")): f"value of {flag}" for flag in flags
    }
    expected |= {"as_groups": ["a", "b"], "request_timeout": 5.0, "insecure_skip_tls_verify": True}
    assert connection(*given_flags, *more) == expected
    assert set(expected) == set(asdict(ConnectionOptions()))


@pytest.mark.parametrize("args", [["-n", "shop"], ["-nshop"], ["-n=shop"], ["--namespace=shop"]])
def test_short_flags_are_read_as_pflag_reads_them(args: list[str]) -> None:
    assert connection(*args) == {"namespace": "shop"}


@pytest.mark.parametrize(
    ("args", "wait", "words"),
    [
        ([], True, []),
        (["--wait"], True, []),
        (["--wait=false"], False, []),
        (["--wait=F", "x"], False, ["x"]),
        (["--wait", "false"], True, ["false"]),
        (["x", "--wait"], True, ["x"]),
        (["--", "--wait"], True, ["--wait"]),
    ],
)
def test_a_boolean_never_swallows_the_next_word(
    args: list[str], wait: bool, words: list[str]
) -> None:
    found = read(*args)
    assert (found["wait"], found["words"]) == (wait, words)


def test_a_value_that_looks_like_a_boolean_flag_is_a_value_as_in_kubectl() -> None:
    found = read("-o", "--wait", "x")
    assert (found["output"], found["words"], found["wait"]) == ("--wait", ["x"], True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--wait=maybe"], "'maybe' is neither true nor false"),
        (["--timeout=5x"], "'5x' is no duration; write 30s"),
        (["--request-timeout=-1s"], "negative"),
        (["--context"], "requires an argument"),
    ],
)
def test_wrong_values_are_usage_errors(args: list[str], words: str) -> None:
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 2
    assert words in result.output


def test_the_connection_flags_have_a_help_section_of_their_own() -> None:
    text = CliRunner().invoke(command, ["-h"]).output
    own, connections = text.split("Connection options:")
    assert "--wait[=true|false]" in own
    assert "--context" in connections
    assert "--timeout" not in connections


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("30", 30),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("5.s", 5),
        ("500ms", 0.5),
        ("1h15m30.918s", 4530.918),
        ("100us", 1e-4),
        ("100µs", 1e-4),
        ("100μs", 1e-4),
        ("7ns", 7e-9),
        ("-1s", -1),
        ("+5s", 5),
    ],
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", ".", ".s", "-", "5 s", "1x", "1s1", "1e3s", "٣s", "9999999h", "--5s", "5S"]
)
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@given(st.text(max_size=12) | st.text(alphabet="0123456789.hmsnuµ+-", max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_duration(text), float)


@given(st.integers(0, 2000), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_composed_durations_add_up(hours: int, minutes: int, seconds: int, millis: int) -> None:
    text = f"{hours}h{minutes}m{seconds}s{millis}ms"
    expected = hours * 3600 + minutes * 60 + seconds + millis / 1000
    assert parse_duration(text) == pytest.approx(expected)


def test_importing_the_options_costs_no_client_library() -> None:
    script = "import sys, kubectl_wasmai.cli.options; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    ).stdout.split()
    heavy = {"kubernetes", "yaml", "msgspec", "rich", "urllib3", "tabulate"}
    assert not heavy & set(loaded)
