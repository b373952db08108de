"""``kubectl wasmai image save REF… -o FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from kubectl_wasmai.cli.image.options import open_store
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image save registry.example.com/team/mnist:1 -o mnist.tar
  sudo ctr -n k8s.io images import mnist.tar""",
)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The tar to write.",
)
def command(references: tuple[str, ...], output: Path) -> None:
    """Write images to a tar that nodes without a network can import.

    It is an OCI image layout; `ctr images import` and `docker load` accept it.
    """
    from kubectl_wasmai.cli.terminal import transfers
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image.archive import writing
    from kubectl_wasmai.image.copying import copy
    from kubectl_wasmai.image.reference import parse_reference

    store = open_store()
    names = [parse_reference(each) for each in references]
    roots = [(name, store.find(name)) for name in names]
    missing = [str(name) for name, root in roots if root is None]
    if missing:
        raise InputError(
            f"the local store has no image {', '.join(missing)}",
            "fetch it first: kubectl wasmai image pull REF",
        )
    with transfers() as start, writing(output) as archive:
        for name, root in roots:
            if root is not None:
                copy(store, root, archive, start)
                archive.tag(name, root)
    click.echo(f"saved {', '.join(map(str, names))} to {output}")
