"""``kubectl wasmai image pull REF``."""

from __future__ import annotations

from typing import Any

import click

from kubectl_wasmai.cli.image.options import open_repository, open_store, registry_options
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image pull registry.example.com/team/mnist:1
  kubectl wasmai image pull localhost:5000/mnist:1 --plain-http""",
)
@click.argument("reference", metavar="REF")
@registry_options
def command(reference: str, registry: dict[str, Any]) -> None:
    """Fetch an image, with all its platforms, into the local store.

    Every byte is checked against its digest; a download that broke off goes on.
    """
    from kubectl_wasmai.cli.terminal import transfers
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.registry.remote import pull

    name = parse_reference(reference)
    with transfers() as start:
        root = pull(open_repository(name, registry), name, open_store(), start)
    click.echo(f"pulled {name.name}@{root.digest}")
