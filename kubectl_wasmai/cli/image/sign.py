"""``kubectl wasmai image sign REF``."""

from __future__ import annotations

from typing import Any

import click

from kubectl_wasmai.cli.image.options import (
    cosign_options,
    cosign_words,
    open_repository,
    registry_options,
)
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image sign registry.example.com/team/mnist:1 --key cosign.key
  kubectl wasmai image sign registry.example.com/team/mnist:1 --key cosign.key --no-log
  kubectl wasmai image sign registry.example.com/team/mnist:1 -- --yes""",
)
@click.argument("reference", metavar="REF")
@click.option("--no-log", is_flag=True, help="Do not record it in the public transparency log.")
@registry_options
@cosign_options
def command(
    reference: str,
    no_log: bool,
    key: str | None,
    cosign_flags: tuple[str, ...],
    registry: dict[str, Any],
) -> None:
    """Sign an image in its registry.

    The cosign program does it: with --key by a key, without one by an identity (it opens a
    browser, or takes a token). What stands after -- is handed to it. `cosign generate-key-pair`
    makes a key. Without --no-log it records the signature in a public log.
    """
    from kubectl_wasmai.image.cosign import require_cosign, run
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.registry.remote import resolve

    require_cosign()
    name = parse_reference(reference)
    repository = open_repository(name, registry)
    root, _ = resolve(repository, name)
    log = ["--tlog-upload=false"] if no_log else []
    run(["sign", *log, *cosign_words(repository, root.digest, key, cosign_flags)])
    click.echo(f"signed {name.name}@{root.digest}")
