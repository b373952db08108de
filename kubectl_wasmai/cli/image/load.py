"""``kubectl wasmai image load FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from kubectl_wasmai.cli.image.options import open_store
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Example:
  kubectl wasmai image load mnist.tar""",
)
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Read the images of a tar into the local store.

    The tar is an OCI image layout, as `image save`, `docker save` (25 or newer) and skopeo
    write it. Every byte is checked against its digest.
    """
    from kubectl_wasmai.cli.terminal import transfers
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image.archive import Archive
    from kubectl_wasmai.image.copying import copy
    from kubectl_wasmai.image.reference import parse_reference

    archive, store = Archive(file), open_store()
    names = {name: one for name, one in archive.names().items() if name != one.digest}
    if not names:
        raise InputError(f"no image in {file} has a name", "save it by its name, NAME:TAG")
    with store.adding(), transfers() as start:
        for name, root in names.items():
            copy(archive, root, store, start)
            store.tag(parse_reference(name), root)
    for name, root in names.items():
        click.echo(f"loaded {name} ({root.digest})")
