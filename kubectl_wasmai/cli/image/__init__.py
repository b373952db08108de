"""``kubectl wasmai image``: one module for each of its commands."""

from __future__ import annotations

import click

from kubectl_wasmai.cli.lazy import LazyGroup

COMMANDS = {
    "build": "Build an image from an ONNX or GGUF model.",
    "inspect": "Show what an image or a model is.",
    "push": "Bring an image to its registry.",
    "pull": "Fetch an image from its registry.",
    "ls": "List the images of the local store.",
    "rm": "Delete images from the local store.",
    "save": "Write images to a file.",
    "load": "Read images from a file.",
    "sign": "Sign an image in its registry.",
    "verify": "Check who signed an image.",
    "sbom": "List what an image is made of.",
    "attest": "Sign a statement about an image.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    summaries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Build model images, and bring them to registries and back.

    An image holds the engine (a WebAssembly module) and a model, in layers of their own, for
    amd64 and arm64 alike. Built and pulled images are kept in the local store (image ls).
    """
