"""``kubectl wasmai image sbom REF|FILE``."""

from __future__ import annotations

import json
from typing import Any

import click

from kubectl_wasmai.cli.image.options import find_image, open_repository, registry_options
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image sbom registry.example.com/team/mnist:1
  kubectl wasmai image sbom mnist.tar -o cyclonedx
  kubectl wasmai image sbom registry.example.com/team/mnist:1 --attach""",
)
@click.argument("what", metavar="REF|FILE")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["spdx", "cyclonedx"]),
    default="spdx",
    show_default=True,
    help="SPDX 2.3 or CycloneDX 1.6, as JSON.",
)
@click.option("--attach", is_flag=True, help="Store it in the registry, as its referrer.")
@registry_options
def command(what: str, output: str, attach: bool, registry: dict[str, Any]) -> None:
    """List what an image is made of.

    The model's files with their digests, the engine, and the libraries compiled into it.
    """
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image import sbom
    from kubectl_wasmai.image.oci import Descriptor, canonical
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.registry import referrers

    reports = find_image(what, registry, remote=attach)
    if len(reports) != 1:
        raise InputError(f"{what} holds {len(reports)} images", "save the one you mean alone")
    (image,) = reports
    parts = sbom.parts_of(image)
    document = sbom.spdx(parts) if output == "spdx" else sbom.cyclonedx(parts)
    click.echo(json.dumps(document, indent=2))
    if attach:
        name = parse_reference(what)
        subject = Descriptor(image["mediaType"], image["digest"], image["documentSize"])
        type_ = sbom.SPDX_TYPE if output == "spdx" else sbom.CYCLONEDX_TYPE
        attached = referrers.attach(
            open_repository(name, registry), subject, type_, canonical(document), {}
        )
        click.echo(f"attached {name.name}@{attached.digest}", err=True)
