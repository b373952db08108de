"""``kubectl wasmai image attest REF``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from kubectl_wasmai.cli.image.options import (
    cosign_options,
    cosign_words,
    find_image,
    open_repository,
    registry_options,
)
from kubectl_wasmai.cli.options import KubectlCommand


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image attest registry.example.com/team/mnist:1 --key cosign.key
  kubectl wasmai image attest registry.example.com/team/mnist:1 --key cosign.key \\
      --predicate scan.json --type vuln""",
)
@click.argument("reference", metavar="REF")
@click.option(
    "--predicate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The statement. Default: the image's own list of parts.",
)
@click.option(
    "--type",
    "type_",
    default="spdxjson",
    show_default=True,
    metavar="TYPE",
    help="Its type, as cosign names it: spdxjson, cyclonedx, vuln, slsaprovenance, …",
)
@click.option("--no-log", is_flag=True, help="Do not record it in the public transparency log.")
@registry_options
@cosign_options
def command(
    reference: str,
    predicate: Path | None,
    type_: str,
    no_log: bool,
    key: str | None,
    cosign_flags: tuple[str, ...],
    registry: dict[str, Any],
) -> None:
    """Sign a statement about an image.

    Without --predicate it is what `image sbom` lists. The cosign program signs; what stands
    after -- is handed to it. `image verify --attestation TYPE` checks it.
    """
    from kubectl_wasmai.image.cosign import require_cosign, run
    from kubectl_wasmai.image.reference import parse_reference

    if not predicate and type_ not in ("spdxjson", "cyclonedx"):
        raise click.UsageError(f"--type {type_} needs a --predicate FILE")
    require_cosign()
    name = parse_reference(reference)
    (image,) = find_image(reference, registry, remote=True)
    repository = open_repository(name, registry)
    with tempfile.TemporaryDirectory() as folder:
        statement = predicate or _parts(image, type_, Path(folder))
        words = ["attest", f"--predicate={statement}", f"--type={type_}"]
        words += ["--tlog-upload=false"] if no_log else []
        run([*words, *cosign_words(repository, image["digest"], key, cosign_flags)])
    click.echo(f"attested {name.name}@{image['digest']} ({type_})")


def _parts(image: dict[str, Any], type_: str, folder: Path) -> Path:
    from kubectl_wasmai.image import sbom

    parts = sbom.parts_of(image)
    document = sbom.spdx(parts) if type_ == "spdxjson" else sbom.cyclonedx(parts)
    path = folder / "sbom.json"
    path.write_text(json.dumps(document), "utf-8")
    return path
