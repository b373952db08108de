"""``kubectl wasmai image push REF``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from kubectl_wasmai.cli.image.options import open_repository, open_store, registry_options
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image push registry.example.com/team/mnist:1
  kubectl wasmai image push localhost:5000/mnist:1 --plain-http
  kubectl wasmai image push team/mnist:1 --as registry.example.com/mirror/mnist:1""",
)
@click.argument("reference", metavar="REF")
@click.option("--as", "other", metavar="REF", help="Push it under another name.")
@registry_options
def command(reference: str, other: str | None, registry: dict[str, Any]) -> None:
    """Bring an image to its registry.

    What is there already is not sent again, and an upload that broke off goes on. Credentials
    are those of docker and podman, with their helpers.
    """
    from kubectl_wasmai.cli.terminal import transfers
    from kubectl_wasmai.errors import InputError
    from kubectl_wasmai.image.copying import copy
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.registry.journal import Journal, state_file
    from kubectl_wasmai.image.registry.remote import RemoteSink

    store, name = open_store(), parse_reference(reference)
    target = parse_reference(other) if other else name
    root = store.find(name)
    if root is None:
        raise InputError(
            f"the local store has no image {name}",
            "`kubectl wasmai image ls` lists what it has; `kubectl wasmai image build` makes one",
        )
    sink = RemoteSink(open_repository(target, registry), Journal(state_file()))
    with transfers() as start:
        copy(store, root, sink, start)
        sink.tag(target, root)
    counts = Counter(sink.outcomes.values())
    said = ", ".join(f"{counts[each]} {each}" for each in sorted(counts))
    click.echo(f"pushed {target.name}@{root.digest}")
    click.echo(f"blobs: {said}", err=True)
