"""Images that a fault needs besides the lab's own: loaded on the nodes, or put in the registry.

An *actor* stands in for a program that cannot run here (a vendor's driver, a CUDA program): it
carries that program's name and says what that program says, in its own words, then ends or waits.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wasmlab.build import ensure_device_plugin
from wasmlab.oci import Image, write_image
from wasmlab.paths import architecture, node_root

from .model import Step

if TYPE_CHECKING:
    from wasmlab.client import Lab

PLUGIN_SETTINGS = "/etc/device-plugin.json"
_SAYS = Path(__file__).with_name("says")
_PUT = Path(__file__).with_name("put_image.py")


def put(name: str, kind: str) -> Step:
    """The image is in the registry before any pod asks for it; ``kind`` as of put_image.py."""
    return Step(lambda lab, _: lab.run(sys.executable, str(_PUT), name, kind))


Make = Callable[[], Image]
"""Images are made when a fault wants them: their programs come from the built lab."""


def loaded(*images: Make) -> Step:
    """The images are on all nodes, under their names."""

    def do(lab: Lab, _: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for image in images:
                lab.command("load", str(write_image(image(), Path(folder) / "image.tar")))

    return Step(do)


WAITS = "/bin/busybox sleep infinity & wait $!"
SERVES = "cd /srv && /bin/busybox httpd -f -p 8080 & wait $!"
HOGS = "/bin/busybox tail -c 300000000 /dev/zero"


def actor(name: str, program: str, says: str = "", then: str | int = WAITS) -> Make:
    """``program`` is its path in the image. It says what stands in ``says/SAYS.txt`` on its error
    stream, ``then`` ends with a code, or does something in the words of a shell."""
    act = f"exit {then}" if isinstance(then, int) else then
    script = f"""#!/bin/sh
trap 'exit 0' TERM
/bin/busybox cat /etc/says >&2
{act}
"""

    def make() -> Image:
        busybox = (node_root() / "bin/busybox").read_bytes()
        files = {
            "/bin/busybox": busybox,
            "/bin/sh": busybox,
            program: script.encode(),
            "/etc/says": _SAYS.joinpath(f"{says}.txt").read_bytes() if says else b"",
            "/srv/health": b"ok\n",
        }
        return Image(name, files, [program], architecture=architecture())

    return make


def plugin(name: str, program: str, settings: bytes) -> Make:
    """The lab's device plugin in a vendor's image."""

    def make() -> Image:
        files = {program: ensure_device_plugin().read_bytes(), PLUGIN_SETTINGS: settings}
        return Image(name, files, [program], architecture=architecture())

    return make
