"""``kubectl wasmai image verify REF``."""

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
  kubectl wasmai image verify registry.example.com/team/mnist:1 --key cosign.pub
  kubectl wasmai image verify registry.example.com/team/mnist:1 --key cosign.pub --no-log
  kubectl wasmai image verify registry.example.com/team/mnist:1 \\
      --certificate-identity jane@example.com --certificate-oidc-issuer https://accounts.example.com
  kubectl wasmai image verify registry.example.com/team/mnist:1 --key cosign.pub \\
      --attestation spdxjson""",
)
@click.argument("reference", metavar="REF")
@click.option("--certificate-identity", metavar="NAME", help="Who must have signed.")
@click.option("--certificate-oidc-issuer", metavar="URL", help="Who must have known them as that.")
@click.option("--attestation", metavar="TYPE", help="Check a statement instead, such as spdxjson.")
@click.option("--no-log", is_flag=True, help="Do not ask for an entry in the transparency log.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="What was verified, by cosign.")
@registry_options
@cosign_options
def command(
    reference: str,
    certificate_identity: str | None,
    certificate_oidc_issuer: str | None,
    attestation: str | None,
    no_log: bool,
    output: str | None,
    key: str | None,
    cosign_flags: tuple[str, ...],
    registry: dict[str, Any],
) -> None:
    """Check who signed an image.

    The cosign program does it, by key or by identity; what stands after -- is handed to it. Exit
    code 3: the image is not signed so.
    """
    from kubectl_wasmai.image.cosign import require_cosign, verify
    from kubectl_wasmai.image.reference import parse_reference
    from kubectl_wasmai.image.registry.remote import resolve

    if not key and not certificate_identity and not cosign_flags:
        raise click.UsageError(
            "say by whom: --key KEY, or --certificate-identity with --certificate-oidc-issuer"
        )
    require_cosign()
    name = parse_reference(reference)
    repository = open_repository(name, registry)
    root, _ = resolve(repository, name)
    words = ["verify-attestation", f"--type={attestation}"] if attestation else ["verify"]
    given = {
        "--certificate-identity": certificate_identity,
        "--certificate-oidc-issuer": certificate_oidc_issuer,
    }
    words += [f"{flag}={value}" for flag, value in given.items() if value]
    words += ["--insecure-ignore-tlog=true"] if no_log else []
    named = f"{name.name}@{root.digest}"
    said = verify([*words, *cosign_words(repository, root.digest, key, cosign_flags)], named)
    click.echo(said if output else f"verified {named}", nl=not output)
