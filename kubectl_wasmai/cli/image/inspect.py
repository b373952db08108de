"""``kubectl wasmai image inspect REF|FILE``."""

from __future__ import annotations

import json
from typing import Any

import click

from kubectl_wasmai.cli.image.options import find_image, registry_options
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image inspect registry.example.com/team/mnist:1
  kubectl wasmai image inspect registry.example.com/team/mnist:1 --remote -o json
  kubectl wasmai image inspect mnist.tar
  kubectl wasmai image inspect model.onnx""",
)
@click.argument("what", metavar="REF|FILE")
@click.option("--remote", is_flag=True, help="Ask the registry even if the image is here.")
@click.option(
    "-o", "--output", type=click.Choice(["json", "yaml"]), help="The whole report, for programs."
)
@registry_options
def command(what: str, remote: bool, output: str | None, registry: dict[str, Any]) -> None:
    """Show what an image or a model is.

    An image of that name in the local store, else in its registry; or a file: a tar of images,
    or a model. Signatures are looked for in registries alone; whose they are, `image verify` says.
    """
    reports = find_image(what, registry, remote=remote)
    if output == "json":
        click.echo(json.dumps(reports[0] if len(reports) == 1 else reports, indent=2))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump_all(reports, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo("\n\n".join(_text(report) for report in reports))


def _text(report: dict[str, Any]) -> str:
    from kubectl_wasmai.image.text import attached_facts, image_facts, lines, model_facts

    if report["kind"] == "Model":
        return "\n".join(lines(model_facts(report["model"])))
    return "\n".join(lines([*image_facts(report), *attached_facts(report["attached"])]))
