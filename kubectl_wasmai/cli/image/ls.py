"""``kubectl wasmai image ls``."""

from __future__ import annotations

import json

import click

from kubectl_wasmai.cli.image.options import open_store
from kubectl_wasmai.cli.options import KubectlCommand, kube_bool


@click.command(
    cls=KubectlCommand,
    epilog="""\b
Examples:
  kubectl wasmai image ls
  kubectl wasmai image ls -o json""",
)
@click.option("-o", "--output", type=click.Choice(["json", "name"]), help="Another form.")
@kube_bool("--no-headers", help="Leave the column headers out.")
def command(output: str | None, no_headers: bool) -> None:
    """List the images of the local store, the built and the pulled ones.

    It lies in the user's data folder, or where WASMAI_IMAGES says.
    """
    from kubectl_wasmai.deploy.text import table
    from kubectl_wasmai.image.inspect import describe_image
    from kubectl_wasmai.image.text import bytes_text

    store = open_store()
    names = store.names()
    if output == "name":
        for name in names:
            click.echo(name)
        return
    images = [describe_image(name, one, store, "local store") for name, one in names.items()]
    if output == "json":
        click.echo(json.dumps(images, indent=2))
        return
    if not images:
        click.echo(f"No images in {store.folder}.", err=True)
        return
    rows = [
        [
            image["name"],
            image["digest"][:19],
            (image["model"] or {}).get("format", ""),
            (image["engine"] or {}).get("version", ""),
            bytes_text(image["size"]),
        ]
        for image in images
    ]
    headers = ["NAME", "DIGEST", "MODEL", "ENGINE", "SIZE"]
    click.echo(table(headers, rows, show_headers=not no_headers))
