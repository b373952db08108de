"""Compiled code that the engine does not take: the server is well, only slow."""

from __future__ import annotations

from builders import deployment, node, pod, runtime_class, snapshot, waiting
from examining import causes, result

from kubectl_wasmai.doctor import examine

# WasmEdge 0.14.1, as recorded.
REJECTED = """\
[2026-11-25 03:26:50.086] [info] loading failed: malformed section id, Code: 0x105
[2026-11-25 03:26:50.086] [info]     AOT binary version unmatched.
[2026-11-25 03:26:50.086] [info]     Load AOT section failed. Use interpreter mode instead.
"""


def test_a_ready_server_whose_compiled_code_is_rejected_is_named() -> None:
    web = deployment()
    serving = pod(owner=web)

    report = examine(
        snapshot(
            *(web, serving, node(), runtime_class()),
            logs={("web-5d9-x", "main"): REJECTED + "listening on 0.0.0.0:8080\n"},
        )
    )

    assert causes(report) == ["aot-version-mismatch"]
    assert report.exit_code == 3


def test_a_module_that_is_interpreted_and_then_traps_is_not_called_invalid() -> None:
    web = deployment()
    crashed = pod(owner=web, ready=False, statuses=waiting("CrashLoopBackOff"))
    trap = "[2026-11-25 03:26:51.000] [error] execution failed: unreachable, Code: 0x40a\n"

    report = examine(
        snapshot(
            *(web, crashed, node(), runtime_class()),
            logs={("web-5d9-x", "main"): REJECTED + trap},
        )
    )

    assert set(causes(report)) == {"wasm-trap", "aot-version-mismatch"}


def test_an_engine_that_says_it_is_interpreted_is_a_warning_and_no_fault() -> None:
    web = deployment()
    started = '{"time":"2026-11-25T07:00:00Z","event":"start","execution":"interpreted"}\n'

    report = examine(
        snapshot(
            *(web, pod(owner=web), node(), runtime_class()),
            logs={("web-5d9-x", "main"): f"2026-11-25T07:00:00.1Z {started}"},
        )
    )

    assert causes(report) == []
    answer = result(report, "model-loaded")
    assert (answer.status.value, "slower than compiled" in answer.reason) == ("WARN", True)
