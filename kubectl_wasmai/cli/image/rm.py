"""``kubectl wasmai image rm REF…``."""

from __future__ import annotations

import click

from kubectl_wasmai.cli.image.options import open_store
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Example:
  kubectl wasmai image rm registry.example.com/team/mnist:1""",
)
@click.argument("references", metavar="REF...", nargs=-1, required=True)
def command(references: tuple[str, ...]) -> None:
    """Delete images from the local store, and the layers that no other image needs.

    Registries are not asked.
    """
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.text import bytes_text

    store = open_store()
    missing = []
    for name in map(parse_reference, references):
        if store.untag(name):
            click.echo(f'image "{name}" deleted')
        else:
            missing.append(str(name))
    freed = store.collect_garbage()
    if freed is None:
        click.echo("an image is being built or fetched: the next rm frees the space", err=True)
    else:
        click.echo(f"freed {bytes_text(freed)}", err=True)
    if missing:
        raise InputError(
            f"the local store has no image {', '.join(missing)}",
            "`kubectl wasmai image ls` lists what it has",
        )
