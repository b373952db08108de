"""``kubectl wasmai``: finds the command, and turns errors into one message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path, PurePath
from typing import NoReturn

import click

from kubectl_wasmai.cli.lazy import LazyGroup
from kubectl_wasmai.errors import WasmaiError
from kubectl_wasmai.harmless import harmless_lines

COMMANDS = {
    "deploy": "Run a WebAssembly image as a Deployment with a Service.",
    "doctor": "Run the checklists and name the root cause of what is broken.",
    "list": "List what deploy has made.",
    "status": "Show how a deployment and its pods stand.",
    "logs": "Show what a deployment's pods wrote.",
    "delete": "Delete what deploy has made under a name.",
    "image": "Build model images, and bring them to registries and back.",
    "run": "Run a model on this machine, without a cluster.",
    "explain": "Show the runbook page of a check or a root cause.",
    "snapshot": "Save, redact and compare what the doctor looks at.",
    "rbac": "Print the least rights that a feature needs.",
    "version": "Print the version of this plugin and of the server.",
    "completion": "Say how to switch on shell completion.",
}
"""Every command and its one-line help, so that ``--help`` imports none of them."""

INTERRUPTED = 130
FAULT = (
    "please report it, with the output of WASMAI_TRACEBACK=1 and, if you may, the snapshot: "
    "kubectl wasmai snapshot save FILE.tar.gz"
)


@click.group(
    cls=LazyGroup,
    package="kubectl_wasmai.cli",
    summaries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def cli() -> None:
    """Deploy Llama and ONNX models as WebAssembly pods, and diagnose them.

    \b
    Is my cluster ready?          kubectl wasmai doctor --checklist pre-deployment
    Run a Wasm image:             kubectl wasmai deploy web --image REF --class wasm
    Something is broken:          kubectl wasmai doctor -n NAMESPACE
    """


def main() -> NoReturn:
    """Never returns, never shows a traceback, whenever Ctrl-C comes."""
    _open_closed_streams()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run(sys.argv[1:], program_name(sys.argv[0]))
    except Exception as error:
        if "WASMAI_TRACEBACK" in os.environ:
            raise
        show_error(WasmaiError(f"this is a fault of kubectl wasmai itself: {error!r}", FAULT))
        code = 1
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def _open_closed_streams() -> None:
    """``>&-`` closes a stream; the next file that is opened must not become the output."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def program_name(argv0: str) -> str:
    """``kubectl wasmai`` when called as the plugin kubectl found."""
    name = PurePath(argv0).stem
    return "kubectl wasmai" if name.startswith("kubectl") else name or "kubectl wasmai"


def run(arguments: list[str], name: str = "kubectl wasmai") -> int:
    """Runs one command line and returns its exit code (see ``errors`` and docs/exit-codes.md)."""
    try:
        result = cli.main(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (WasmaiError, OSError) as error:
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: WasmaiError | OSError) -> int:
    if isinstance(error, OSError):
        _give_up_output()
        if isinstance(error, BrokenPipeError):
            return 0
        what = f"use {error.filename}" if error.filename else "write the output"
        error = WasmaiError(f"cannot {what}: {(error.strerror or str(error)).lower()}")
    show_error(error)
    return error.exit_code


def _give_up_output() -> None:
    """The reader (head, less) has seen enough, or the disk is full: what Python still holds must
    not make it complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_error(error: WasmaiError) -> None:
    """What was tried and what happened, then what to do next, on stderr."""
    color = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    label = click.style("error:", fg="red", bold=True) if color else "error:"
    click.echo(f"{label} {harmless_lines(error.message)}", err=True)
    if error.hint:
        click.echo(f"hint: {harmless_lines(error.hint)}", err=True)
