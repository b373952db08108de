"""The command line of the lab."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import lab, load, state
from .build import ensure_control_plane, ensure_device_plugin, ensure_registries
from .build_root import ensure_containerd2, ensure_plain_crun
from .build_wasi_nn import ensure_wasi_nn
from .errors import LabError
from .faults import all_faults
from .faults.run import MOMENTS, chosen, run_faults
from .images import ensure_images
from .namespaces import entering, entering_node
from .paths import LAB_DIR, kubernetes_bin
from .progress import step
from .shell import tail
from .status import report

if TYPE_CHECKING:
    from types import FrameType

    # argparse has no public name for what add_subparsers() returns.
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

MOST_NODES = 5
_DESCRIPTION = "A real Kubernetes that runs WebAssembly, in namespaces of this machine."
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_RUNTIME_CLASS = LAB_DIR / "manifests" / "runtimeclass-wasm.yaml"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 130 interrupted."""
    options = parser().parse_args(arguments)
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        command = options.command
        return int(command(options) or 0)
    except LabError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    root = argparse.ArgumentParser(prog="lab/lab", description=_DESCRIPTION)
    commands = root.add_subparsers(metavar="COMMAND", required=True)

    build = commands.add_parser("build", help="make all parts; minutes the first time")
    build.add_argument(
        "--control-plane-only",
        action="store_true",
        help="only kube-apiserver, etcd, kubectl and the registries of tests; needs no root",
    )
    build.add_argument(
        "--wasi-nn",
        action="store_true",
        help="also WasmEdge's WASI-NN plugin with llama.cpp, for the faults that load models",
    )
    build.set_defaults(command=_build)

    up = commands.add_parser("up", help="start the lab; builds what is missing")
    up.add_argument(
        "--nodes",
        type=_node_count,
        default=1,
        metavar="N",
        help="number of nodes; only the first can run WebAssembly (default 1)",
    )
    up.add_argument(
        "--containerd",
        type=int,
        choices=(1, 2),
        default=1,
        help="generation of containerd: 1 (1.7, the default) or 2",
    )
    up.add_argument("--registry", action="store_true", help="with an image registry")
    up.set_defaults(command=_up)

    _add(commands, "down", "take the lab down without a trace", _down)
    _add(commands, "status", "what runs", _status)
    _add(commands, "kubeconfig", "print the path of the kubeconfig", _kubeconfig)
    _add(commands, "images", "build and load the lab's own images", _images)
    _add_image_commands(commands)
    _add_access_commands(commands)
    _add_fault_command(commands)
    return root


def _add_image_commands(commands: _Commands) -> None:
    load_ = commands.add_parser("load", help="load an image tar on all nodes")
    load_.add_argument("tar", type=Path, help="an OCI layout or `docker save` tar")
    load_.set_defaults(command=_load)

    push = commands.add_parser("push", help="put an image tar into the lab's registry")
    push.add_argument("tar", type=Path, help="an OCI layout or `docker save` tar")
    push.add_argument("name", help="its name there, such as hello:1")
    push.set_defaults(command=_push)


def _add_fault_command(commands: _Commands) -> None:
    fault = commands.add_parser("fault", help="produce faults, wait until they show, record them")
    fault.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    fault.add_argument("--list", action="store_true", help="list the faults")
    fault.add_argument("--record", type=Path, metavar="DIR", help="write recordings to DIR/NAME/")
    fault.add_argument(
        "--moment",
        action="append",
        choices=tuple(MOMENTS),
        help="when to record (repeatable; default: where the fault changes)",
    )
    fault.add_argument("--keep", action="store_true", help="leave the fault in place")
    fault.set_defaults(command=_fault)


def _add_access_commands(commands: _Commands) -> None:
    run = commands.add_parser("run", help="run a program in the lab's network")
    run.add_argument(
        "--node",
        nargs="?",
        const="node1",
        metavar="NAME",
        help="also with the files of that node (default node1)",
    )
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD …")
    run.set_defaults(command=_run)

    logs = commands.add_parser("logs", help="show a component's log, or which there are")
    logs.add_argument("component", nargs="?")
    logs.add_argument("--lines", type=int, default=200, help="how many (default 200)")
    logs.set_defaults(command=_logs)


def _add(
    commands: _Commands,
    name: str,
    text: str,
    command: object,
) -> None:
    commands.add_parser(name, help=text).set_defaults(command=command)


def _node_count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_NODES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_NODES}, not {text!r}")
    return int(text)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """The first signal makes the command clean up; more of them must not stop the cleaning."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _build(options: argparse.Namespace) -> None:
    ensure_registries()
    if options.control_plane_only:
        print(ensure_control_plane())
        return
    lab.ensure_parts()
    ensure_device_plugin()
    ensure_plain_crun()
    if options.wasi_nn:
        ensure_wasi_nn()
    # Last: it comes from a suite that changes every day, and the usual lab does without it.
    ensure_containerd2()
    step("everything is built")


def _up(options: argparse.Namespace) -> None:
    running = lab.up(lab.Shape(options.nodes, options.containerd, options.registry))
    step(f"use it: export KUBECONFIG={running.kubeconfig}")
    step(f"WebAssembly pods need a RuntimeClass: kubectl apply -f {_RUNTIME_CLASS}")


def _down(_: argparse.Namespace) -> None:
    step("the lab is down" if lab.down() else "the lab is not up; nothing to do")


def _status(_: argparse.Namespace) -> int:
    text, healthy = report(state.load())
    print(text)
    return 0 if healthy else 1


def _kubeconfig(_: argparse.Namespace) -> None:
    print(state.require_up().kubeconfig)


def _images(_: argparse.Namespace) -> None:
    running = state.require_up()
    for tar in ensure_images():
        print(*load.load_image(running, tar))


def _load(options: argparse.Namespace) -> None:
    print(*load.load_image(state.require_up(), options.tar))


def _push(options: argparse.Namespace) -> None:
    print(load.push_image(state.require_up(), options.tar, options.name))


def _run(options: argparse.Namespace) -> None:
    running = state.require_up()
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise LabError("no command to run", "lab/lab run -- kubectl get nodes")
    if options.node is None:
        os.environ["KUBECONFIG"] = str(running.inner_kubeconfig)
        os.environ["PATH"] = f"{kubernetes_bin()}:{os.environ.get('PATH', '')}"
        command = [*entering(running.pid, "--net"), *words]
    elif options.node in running.node_pids:
        prefix = entering_node(running.node_pids[options.node])
        command = [*prefix, "KUBECONFIG=/etc/wasmlab/admin.kubeconfig", *words]
    else:
        raise LabError(f"there is no node {options.node}", f"nodes: {', '.join(running.node_pids)}")
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606 - the command is the user's own


def _logs(options: argparse.Namespace) -> None:
    running = state.load()
    if running is None:
        raise LabError("the lab is not up", "start it with `lab/lab up`")
    names = sorted(path.stem for path in running.logs.glob("*.log"))
    if options.component is None:
        print("\n".join(names))
        return
    # `kubelet` will do where only one node has one.
    wanted = [n for n in names if n == options.component or n.endswith(f"-{options.component}")]
    if len(wanted) != 1:
        said = "several logs" if wanted else "no log"
        raise LabError(f"{said} of {options.component}", f"there are: {', '.join(wanted or names)}")
    print(tail(running.logs / f"{wanted[0]}.log", options.lines))


def _fault(options: argparse.Namespace) -> int:
    if options.list:
        for fault in all_faults().values():
            causes = ", ".join(each.cause for each in fault.expected) or "nothing is wrong"
            print(f"{fault.name:<45}{causes}")
        return 0
    faults = chosen(all_faults(), options.names)
    failed = run_faults(faults, options.record, options.moment or (), keep=options.keep)
    return 1 if failed else 0
