"""Somebody who builds images on one machine and runs them on the lab's node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasmlab.client import Lab
from wasmlab.paths import cache_dir, node_root

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_MAIN = "from kubectl_wasmai.cli.main import main; main()"
ROOT = str(Path(__file__).parents[2])
CLASS = "image-test"
NAMESPACE = "image-test"
Said = subprocess.CompletedProcess[str]


@dataclass
class Desk:
    """Somebody with a store of images, in a lab with a registry."""

    lab: Lab
    folder: Path
    programs: Path
    """Put before PATH: wasmedge and cosign."""

    def here(self, *words: object) -> str:
        """What a command prints that needs no network."""
        done = self._run(list(map(str, words)), {**os.environ, **self.environment})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def in_lab(self, *words: object) -> str:
        """The same in the lab's network, where its registry is."""
        lab = Lab({**self.lab.environment, **self.environment})
        done = lab.run(sys.executable, "-c", RUN_MAIN, *map(str, words), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deploy(self, name: str, image: str, *more: str) -> None:
        """``kubectl wasmai deploy`` with its defaults, until it is ready."""
        config = {"KUBECONFIG": str(self.lab.kubeconfig), "PYTHONPATH": ROOT}
        words = ["deploy", name, "-n", NAMESPACE, "--image", image, "--class", CLASS, *more]
        done = self._run(words, {**os.environ, **config})
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": ROOT,
            "WASMAI_IMAGES": str(self.folder / "store"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            # Compiled engines: of the ONNX one that takes minutes.
            "XDG_CACHE_HOME": str(cache_dir() / "plugin"),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "COSIGN_PASSWORD": "x",
        }

    def ask(self, service: str, path: str, body: str) -> dict[str, Any]:
        """What the model answers through its Service."""
        address = self.lab.kubectl(
            "get", "-n", NAMESPACE, f"service/{service}", "-o", "jsonpath={.spec.clusterIP}"
        ).stdout
        # kube-proxy learns of a ready pod a bit later.
        patience = ("--retry", "10", "--retry-delay", "1", "--retry-connrefused")
        # A picture's numbers are more than a command line holds.
        (self.folder / "body.json").write_text(body)
        sent = ("--data-binary", f"@{self.folder / 'body.json'}")
        words = ("curl", "-sS", "-f", "-m", "20", *patience, *sent)
        found: dict[str, Any] = json.loads(
            self.lab.run(*words, f"http://{address}:8080{path}").stdout
        )
        return found

    def pushed(self, model: Path, reference: str, *more: str) -> str:
        """An image of the model in the lab's registry; its name with its digest."""
        self.here("image", "build", model, "-t", reference, *more)
        said = self.in_lab("image", "push", reference, "--plain-http")
        name: str = said.split()[-1]
        assert "@sha256:" in name
        return name

    def sign_and_verify(self, named: str) -> None:
        """By the real cosign, with a pair of keys of this desk's own."""
        if not (self.folder / "cosign.key").exists():
            subprocess.run(
                [self.programs / "cosign", "generate-key-pair"],
                cwd=self.folder,
                env={**os.environ, "COSIGN_PASSWORD": "x"},
                capture_output=True,
                check=True,
            )
        flags = ("--plain-http", "--no-log")
        self.in_lab("image", "sign", named, "--key", self.folder / "cosign.key", *flags)
        self.in_lab("image", "verify", named, "--key", self.folder / "cosign.pub", *flags)

    def log(self, name: str) -> str:
        return self.lab.kubectl("logs", "-n", NAMESPACE, f"deployment/{name}").stdout

    def _run(self, words: list[str], environment: dict[str, str]) -> Said:
        command = [sys.executable, "-c", RUN_MAIN, *words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=1200, check=False
        )


@contextmanager
def open_desk(lab: Lab, folder: Path, programs: Path, containerd: str) -> Iterator[Desk]:
    """A lab of its own with a registry, a RuntimeClass and a strict namespace."""
    other = lab.beside(folder / "lab")
    other.command("up", "--registry", "--containerd", containerd)
    try:
        handler = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "crun"}
        for manifest in (
            {**handler, "metadata": {"name": CLASS}},
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        ):
            other.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
        other.kubectl("label", "ns", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        yield Desk(other, folder, programs)
    finally:
        other.command("down")


def link_programs(folder: Path) -> Path:
    """Those of the lab's node, to be called here."""
    root = node_root()
    (linker,) = (root / "usr" / "lib").glob("*/ld-linux-*.so*")
    words = f"{linker} --library-path {linker.parent} {root / 'usr/bin/wasmedge'}"
    (folder / "wasmedge").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (folder / "wasmedge").chmod(0o755)
    (folder / "cosign").symlink_to(root / "usr" / "bin" / "cosign")
    return folder
