"""A recorded real cluster with one fault, and a small real model, for a first look at home.

The story: a team runs an image classifier as WebAssembly under RuntimeClass ``wasm``. For the
captioner they follow a guide that says ``runtimeClassName: wasmedge``, and create a class of
that name. The class is accepted, the pods are scheduled, and then they wait in
ContainerCreating for ever: a RuntimeClass is only a name, and no container runtime on the node
has a handler ``wasmedge``. Recorded with ``kubectl wasmai snapshot save`` on the project's lab
(Kubernetes 1.34, containerd 1.7, crun 1.21, WasmEdge 0.14.1).

``digits.onnx`` reads handwritten digits of 8 by 8 pixels; ``digit.json`` is a request with one.
``docs/tools/digits.py`` trained it.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def recording() -> Path:
    """The path of the recorded cluster, for ``doctor --from``."""
    return Path(str(resources.files(__name__).joinpath("broken-cluster.tar.gz")))
