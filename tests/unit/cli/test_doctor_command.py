"""The doctor's command line: forms, own files, watching."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import deployment, pod_spec, runtime_class, snapshot

from kubectl_wasmai.cli.doctor import FORMATS
from kubectl_wasmai.cli.main import run
from kubectl_wasmai.cli.screen import ENTER, HOME, LEAVE, Screen
from kubectl_wasmai.cli.watch import heading, watch
from kubectl_wasmai.doctor import examine
from kubectl_wasmai.errors import ClusterUnreachable
from kubectl_wasmai.report import FORMATS as RENDERED

if TYPE_CHECKING:
    from kubectl_wasmai.doctor import Report

RECORDED = Path(__file__).parents[2] / "gallery" / "runtimeclass-missing" / "settled.tar.gz"
FROM = ("doctor", "--from", str(RECORDED))


def test_help_and_renderers_know_the_same_forms() -> None:
    assert FORMATS == RENDERED


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_goes_to_stdout_alone(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FROM, "-o", form]) == 3

    shown = capsys.readouterr()
    assert "runtimeclass" in shown.out
    assert shown.err == ""


def test_quiet_is_the_verdict_and_the_root_causes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FROM, "-q"]) == 3

    out = capsys.readouterr().out
    assert out.startswith("broken: runtimeclass-missing (Deployment ")
    assert "ROOT CAUSE  runtimeclass-missing" in out
    assert "PRE-DEPLOYMENT" not in out


def test_stats_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    run([*FROM, "--stats", "-o", "json"])

    shown = capsys.readouterr()
    assert "requests" in shown.err
    assert json.loads(shown.out)["kind"] == "DoctorReport"


@pytest.mark.parametrize(
    "arguments",
    [["--watch"], ["-q", "-o", "json"], ["--save-snapshot", "x"], ["--max-memory", "180"]],
)
def test_contradictions_are_wrong_usage(arguments: list[str]) -> None:
    assert run([*FROM, *arguments]) == 2


def test_a_user_s_checklist_is_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "go-live.md"
    path.write_text("- [ ] [x](runtimeclass-exists.md)\n- [ ] Ask Bob\n")

    assert run([*FROM, "--checklist", str(path), "-o", "json"]) == 3
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [each["id"] for each in checks] == ["runtimeclass-exists", "ask-bob"]
    assert {each["checklist"] for each in checks} == {"go-live"}


def verdict(report: Report) -> str:
    return f"{report.summary.verdict}\n"


def broken() -> Report:
    web = deployment(spec=pod_spec(runtime_class="gone"))
    return examine(snapshot(web, runtime_class()))


def test_watching_prints_only_what_is_new_and_survives_a_lost_connection(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rounds: list[Report | BaseException] = [
        examine(snapshot()), examine(snapshot()), ClusterUnreachable("no answer"), broken(),
        broken(), KeyboardInterrupt(),
    ]  # fmt: skip
    slept: list[float] = []

    def look() -> Report:
        report = rounds.pop(0)
        if isinstance(report, BaseException):
            raise report
        return report

    with pytest.raises(KeyboardInterrupt):
        watch(look, verdict, interval=7, heading=heading("table"), sleep=slept.append)

    assert slept == [7, 7, 7, 7, 7]
    said = capsys.readouterr()
    stamped = [line.partition(" ")[0] for line in said.out.splitlines()]
    assert stamped == ["---", "inconclusive", "---", "broken"]
    assert "no answer" in said.err


def test_watching_fails_at_once_where_the_first_look_does() -> None:
    def look() -> Report:
        raise ClusterUnreachable("no answer")

    with pytest.raises(ClusterUnreachable):
        watch(look, verdict, interval=1, heading=heading("table"), sleep=lambda _: None)


def test_a_stream_of_documents_holds_nothing_else() -> None:
    assert heading("json")("now") == ""
    assert heading("yaml")("now") == "---\n"
    assert run(["doctor", "--watch", "-o", "html"]) == 2


def test_a_line_that_is_too_wide_takes_the_rows_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "4")
    monkeypatch.setenv("COLUMNS", "10")
    out = StringIO()

    Screen(out).draw("a" * 25 + "\nb\nc\n")  # three rows, and no room for two more
    Screen(out).draw("\x1b[31ma\x1b[0m\nb\nc\nd\n")  # colours take none

    first, second = out.getvalue().split(HOME)[1:]
    assert "2 lines more" in first
    assert "more" not in second


def test_a_screen_is_redrawn_in_place_and_left_as_it_was(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "6")
    monkeypatch.setenv("COLUMNS", "80")
    out = StringIO()
    screen = Screen(out)
    rounds: list[Report | BaseException] = [
        examine(snapshot()), ClusterUnreachable("no\x1b answer"), broken(), KeyboardInterrupt(),
    ]  # fmt: skip

    def look() -> Report:
        report = rounds.pop(0)
        if isinstance(report, BaseException):
            raise report
        return report

    with pytest.raises(KeyboardInterrupt):
        watch(
            look, lambda report: verdict(report) * 20, interval=7, screen=screen,
            heading=heading("table"), sleep=lambda _: None,
        )  # fmt: skip

    drawn = out.getvalue()
    assert drawn.startswith(ENTER)
    assert drawn.endswith(LEAVE)
    frames = drawn.removeprefix(ENTER).removesuffix(LEAVE).split(HOME)[1:]
    assert len(frames) == 3
    assert all(frame.count("\n") == 5 for frame in frames)  # as many lines as the screen has
    assert "\x1b[2J" not in drawn  # never empty: that is what flickers
    assert "no  answer; what was seen before:" in frames[1]
    assert "lines more" in frames[2]
    assert capsys.readouterr().out.count("broken\n") == 20  # the last report stays, whole


def test_rbac_grants_no_secrets_and_reads_as_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    for feature in ("doctor", "deploy", "all"):
        assert run(["rbac", "--feature", feature, "-o", "json"]) == 0
        (role,) = json.loads(capsys.readouterr().out)["items"]
        names = {name for rule in role["rules"] for name in rule["resources"]}
        assert names
        assert not names & {"secrets", "configmaps", "*"}


def test_rbac_binds_whom_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rbac", "-n", "models", "--serviceaccount", "ci:doctor", "-o", "json"]) == 0

    items = json.loads(capsys.readouterr().out)["items"]
    assert [each["kind"] for each in items] == [
        "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
    ]  # fmt: skip
    assert items[3]["subjects"] == [{"kind": "ServiceAccount", "name": "doctor", "namespace": "ci"}]
    assert run(["rbac", "--serviceaccount", "doctor"]) == 2
