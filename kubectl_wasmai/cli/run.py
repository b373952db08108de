"""``kubectl wasmai run MODEL``."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubectl_wasmai.cli.options import KubectlCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.image.model import Model
    from kubectl_wasmai.local.chat import Conversation
    from kubectl_wasmai.local.session import Plan, Session

TERMINATED = 143
DEFAULT_TOKENS = 256
_BODY = "give the body of an HTTP request, as in docs/engine.md"


@click.command(
    "run",
    cls=KubectlCommand,
    short_help="Run a model on this machine, without a cluster.",
    epilog="""\b
Examples:
  kubectl wasmai run model.onnx --input request.json
  kubectl wasmai run model.onnx --input request.json --repeat 20
  kubectl wasmai run chat.gguf
  echo 'Why is the sky blue?' | kubectl wasmai run chat.gguf
  kubectl wasmai run model.onnx --serve 8080""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "request",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answer the request in this file (- is standard input), then end.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Send the request of --input N times, for the latency; one answer is printed.",
)
@click.option("--serve", type=click.IntRange(1, 65535), metavar="PORT", help="Serve over HTTP.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address for --serve; 0.0.0.0 lets other machines ask, too.",
)
@click.option("--system", metavar="TEXT", help="What a chat begins with.")
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    default=DEFAULT_TOKENS,
    show_default=True,
    metavar="N",
    help="Length of an answer in a chat.",
)
@click.option("--temperature", type=click.FloatRange(0, 2), metavar="T", help="0 is greedy.")
@click.option("--seed", type=int, metavar="N", help="The same seed gives the same answer.")
@click.option("--chat-template", metavar="NAME", help="llama-2, llama-3 or chatml.")
@click.option("--context", type=click.IntRange(1), metavar="N", help="Most tokens of a chat.")
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="INPUT=1,3,48,192",
    help="Prepare an ONNX model for this shape at start; repeatable.",
)
@click.option(
    "--runtime",
    type=click.Choice(["wasmtime", "wasmedge"]),
    help="What runs the engine. Default: the first of them that is installed.",
)
@click.option(
    "--engine",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="WebAssembly module to use instead of the engine that comes with this plugin.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print no times.")
def command(model: Path, **given: Any) -> None:
    """Run a model on this machine with the engine that pods have.

    ONNX models answer a request of the Open Inference Protocol v2 from --input. GGUF models chat,
    or answer what stands on standard input. Answers go to standard output, times to standard
    error. wasmtime (the extra [local]) or wasmedge runs the engine, which listens on the loopback
    interface alone unless --serve comes with another --host.
    """
    from kubectl_wasmai.image.model import read_model

    serve, request = given["serve"], given["request"]
    if serve and request:
        raise click.UsageError("--serve and --input are two ways to ask: give one of them")
    if given["repeat"] > 1 and not request:
        raise click.UsageError("--repeat is for --input")
    read = read_model(model)
    if not serve and not request and read.format == "onnx":
        raise click.UsageError(_what_it_wants(read))
    plan = _plan(read, given)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    if serve:
        _serve(plan, quiet=given["quiet"])
    elif request:
        _answer(plan, _body(request), given["repeat"], quiet=given["quiet"])
    else:
        _chat(plan, given)


def _body(request: Path) -> bytes:
    from kubectl_wasmai.errors import InputError

    try:
        return sys.stdin.buffer.read() if str(request) == "-" else request.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read --input {request}: {error.strerror}", _BODY) from error


def _what_it_wants(model: Model) -> str:
    from kubectl_wasmai.image.text import harmless, tensor_text

    wanted = ", ".join(tensor_text(each) for each in model.card["inputs"])
    return (
        f"an ONNX model needs --input FILE or --serve PORT; this one takes {harmless(wanted)}, as "
        '{"inputs": [{"name": …, "shape": […], "datatype": "FP32", "data": […]}]}'
    )


def _plan(model: Model, given: dict[str, Any]) -> Plan:
    from kubectl_wasmai.cli.terminal import progress
    from kubectl_wasmai.image.engine import engine_from_file, require_runnable, shipped_engine
    from kubectl_wasmai.local import runtimes, session

    file = given["engine"]
    engine = engine_from_file(file) if file else shipped_engine(model.engine_format)
    for warning in require_runnable(model, engine):
        click.echo(f"Warning: {warning}", err=True)
    name = runtimes.choose(given["runtime"])
    with progress("preparing the engine, which takes minutes the first time"):
        runtime = runtimes.prepare(name, engine, model.files[0].path.parent)
    options = [word for shape in given["shapes"] for word in ("--shape", shape)]
    for option in ("chat_template", "context"):
        if given[option] is not None:
            options += [f"--{option.replace('_', '-')}", str(given[option])]
    host = given["host"] if given["serve"] else session.LOOPBACK
    return session.Plan(model, runtime, host, given["serve"] or 0, options)


def _serve(plan: Plan, *, quiet: bool) -> None:
    from kubectl_wasmai.local.session import session

    with session(plan, pass_on=lambda line: click.echo(line, err=True)) as one:
        host = f"[{plan.host}]" if ":" in plan.host else plan.host
        path = f"v2/models/{plan.name}" if plan.model.format == "onnx" else "v1/models"
        _times(one, quiet=quiet)
        click.echo(f"http://{host}:{plan.port}/{path}")
        one.running.process.wait()
        raise one.running.failure()


def _answer(plan: Plan, body: bytes, repeat: int, *, quiet: bool) -> None:
    import json

    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.local.client import path_of

    try:
        fields = json.loads(body)
    except ValueError as error:
        raise InputError(f"--input is no JSON: {error}", _BODY) from None
    if not isinstance(fields, dict):
        raise InputError("--input is no JSON object", _BODY)
    path = path_of(fields, plan.name, plan.model.format)
    with _starting(plan) as one:
        click.echo(one.ask(path, body))
        for _ in range(repeat - 1):
            one.ask(path, body)
        _times(one, quiet=quiet)


def _chat(plan: Plan, given: dict[str, Any]) -> None:
    from kubectl_wasmai.local.chat import Conversation

    settings = {
        name: given[name]
        for name in ("max_tokens", "temperature", "seed")
        if given[name] is not None
    }
    with _starting(plan) as one:
        system = [{"role": "system", "content": given["system"]}] if given["system"] else []
        talk = Conversation(one.client, one.has_template, settings, system)
        _times(one, quiet=given["quiet"])
        if not one.has_template:
            note = "Note: the file has no chat template that is known: it continues what you write"
            click.echo(note, err=True)
        for text in _texts():
            _say(talk, text, quiet=given["quiet"])


def _texts() -> Iterator[str]:
    """What is typed, line by line; or all that stands on standard input."""
    if not sys.stdin.isatty():
        if text := sys.stdin.read().rstrip("\n"):
            yield text
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - lines can be edited, and called up again
    click.echo("Ctrl-C stops an answer, Ctrl-D ends the chat.", err=True)
    while True:
        try:
            text = input("> ")
        except EOFError:
            click.echo()
            return
        if text.strip():
            yield text


def _say(talk: Conversation, text: str, *, quiet: bool) -> None:
    from kubectl_wasmai.deploy.text import clean

    with contextlib.closing(talk.say(text)) as pieces:
        try:
            for piece in pieces:
                shown = clean(piece, lines=True) if sys.stdout.isatty() else piece
                click.echo(shown, nl=False)
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
    click.echo()
    if not quiet:
        click.echo(talk.last.text(), err=True)


@contextlib.contextmanager
def _starting(plan: Plan) -> Iterator[Session]:
    """A session, with a sign of life while it starts."""
    from kubectl_wasmai.cli.terminal import progress
    from kubectl_wasmai.local.session import session

    with contextlib.ExitStack() as stack:
        with progress("starting the engine, which takes seconds the first time"):
            one = stack.enter_context(session(plan))
        yield one


def _times(one: Session, *, quiet: bool) -> None:
    from kubectl_wasmai.image.text import lines

    for line in [] if quiet else lines(one.facts()):
        click.echo(line, err=True)
