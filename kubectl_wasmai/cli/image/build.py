"""``kubectl wasmai image build MODEL -t REF``."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_wasmai.cli.image.options import open_store
from kubectl_wasmai.cli.options import KubectlCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.image.build import Plan
    from kubectl_wasmai.image.engine import Engine
    from kubectl_wasmai.image.model import Model

_INTERPRETED = (
    "Warning: WasmEdge will interpret the engine, 50 to 400 times slower than one compiled with "
    "--aot"
)


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image build model.onnx -t registry.example.com/team/mnist:1
  kubectl wasmai image build model.onnx -t registry.example.com/team/mnist:1 --aot
  kubectl wasmai image build chat.gguf -t registry.example.com/team/chat:1 --model-only
  kubectl wasmai image build model.onnx -t team/mnist:1 -o mnist.tar
  kubectl wasmai image build model.onnx -t team/mnist:1-int8 --quantize int8 --sample x.npz""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-t", "--tag", required=True, metavar="REF", help="Name of the image.")
@click.option("--name", default="", metavar="NAME", help="Name of the model; else its file's.")
@click.option(
    "--engine",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="WebAssembly module to use instead of the engine that comes with this plugin.",
)
@click.option(
    "--aot",
    is_flag=True,
    help="Compile the engine for this machine's architecture and its version of WasmEdge.",
)
@click.option(
    "--model-only",
    is_flag=True,
    help="Only the model, for image volumes and other engines.",
)
@click.option(
    "--quantize",
    type=click.Choice(["int8"]),
    help="Shrink the weights of an ONNX model with onnxruntime's tool.",
)
@click.option(
    "--sample",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Inputs (.npz, or .json of an inference request) to compare the quantized model on.",
)
@click.option("--label", "labels", multiple=True, metavar="K=V", help="Label; repeatable.")
@click.option(
    "--annotation", "annotations", multiple=True, metavar="K=V", help="Annotation; repeatable."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a tar instead of to the local store.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the name with its digest.")
def command(
    model: Path,
    tag: str,
    name: str,
    engine: Path | None,
    aot: bool,
    model_only: bool,
    quantize: str | None,
    sample: Path | None,
    labels: tuple[str, ...],
    annotations: tuple[str, ...],
    output: Path | None,
    quiet: bool,
) -> None:
    """Build an image from an ONNX or GGUF model.

    The same inputs give the same digest on every machine. Nothing is sent anywhere, and neither
    Docker nor root is needed. With --aot the engine is compiled ahead of time, 50 to 400 times
    faster on nodes of that architecture with that very version of WasmEdge, whose processor has all
    that this machine's has: compile on the oldest.
    """
    from kubectl_wasmai.image.build import Plan
    from kubectl_wasmai.image.reference import parse_reference

    if model_only and (engine or aot):
        raise click.UsageError("--model-only has no engine: neither --engine nor --aot fit it")
    if sample and not quantize:
        raise click.UsageError("--sample is compared only with --quantize")
    if name and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise click.UsageError("--name: letters, digits, '.', '_' and '-', since it stands in URLs")
    reference = parse_reference(tag)
    pairs = _pairs("--label", labels), _pairs("--annotation", annotations)
    with _quantized(model, quantize, sample) as path:
        read = _read(path, model_only=model_only)
        engines = {} if model_only else _engines(read, engine, aot=aot)
        _write(Plan(reference, read, engines, name, *pairs), output, quiet=quiet)


def _read(path: Path, *, model_only: bool) -> Model:
    from kubectl_wasmai.image.model import read_model, read_tflite

    return (model_only and read_tflite(path)) or read_model(path)


def _engines(model: Model, file: Path | None, *, aot: bool) -> dict[str, Engine]:
    from kubectl_wasmai.cli.terminal import progress
    from kubectl_wasmai.image.aot import compile_engine
    from kubectl_wasmai.image.build import PLATFORMS
    from kubectl_wasmai.image.engine import engine_from_file, require_runnable, shipped_engine

    engine = engine_from_file(file) if file else shipped_engine(model.engine_format)
    for warning in require_runnable(model, engine):
        click.echo(f"Warning: {warning}", err=True)
    engines = dict.fromkeys(PLATFORMS, engine)
    if aot:
        with progress("compiling the engine, which takes minutes the first time"):
            target, compiled = compile_engine(engine)
        engines[target] = compiled
    else:
        click.echo(_INTERPRETED, err=True)
    return engines


@contextlib.contextmanager
def _quantized(model: Path, how: str | None, sample: Path | None) -> Iterator[Path]:
    """The model to build from: itself, or a smaller one that is gone afterwards."""
    if how is None:
        yield model
        return
    from kubectl_wasmai.cli.terminal import progress
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image import quantize
    from kubectl_wasmai.image.model import read_model
    from kubectl_wasmai.image.text import change_facts, lines

    if read_model(model).format != "onnx":
        raise InputError(
            f"--quantize shrinks ONNX models; {model} is none",
            "for GGUF: llama-quantize in.gguf out.gguf Q8_0, from llama.cpp",
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{model.stem}.onnx"
        with progress("quantizing"):
            quantize.quantize_int8(model, target)
            changes = quantize.compare(model, target, sample) if sample else []
        if not sample:
            click.echo("Warning: accuracy was not measured: --sample FILE would", err=True)
        for line in lines(change_facts(changes)):
            click.echo(line, err=True)
        yield target


def _write(plan: Plan, output: Path | None, *, quiet: bool) -> None:
    from kubectl_wasmai.cli.terminal import transfers
    from kubectl_wasmai.image.archive import writing
    from kubectl_wasmai.image.build import build
    from kubectl_wasmai.image.text import compiled_fact, lines, model_facts

    if not quiet:
        for line in lines(model_facts(plan.model.card)):
            click.echo(line)
    with transfers() as start:
        if output:
            with writing(output) as archive:
                root = build(plan, archive, start)
        else:
            store = open_store()
            with store.adding():
                root = build(plan, store, start)
    named = f"{plan.reference.name}@{root.digest}"
    if quiet:
        click.echo(named)
        return
    facts = [("image", str(plan.reference)), ("digest", root.digest)]
    engines = plan.engines.items()
    facts += [compiled_fact(target, each.compiled) for target, each in engines if each.compiled]
    facts.append(("written to", str(output)) if output else ("next", _next(plan)))
    for line in lines(facts):
        click.echo(line)


def _next(plan: Plan) -> str:
    return f"kubectl wasmai image push {plan.reference}"


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option} {each}: expected KEY=VALUE")
        pairs[key] = value
    return pairs
