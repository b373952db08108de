"""NVIDIA's container runtime, as far as the API shows it: runc with a hook before each container
that is given GPUs. The hook is the lab's, and fails with the words of nvidia-container-cli.
"""

from __future__ import annotations

from . import on_node
from .hosted import write
from .model import Step
from .objects import runtime_class

RUNTIME = "/usr/bin/nvidia-container-runtime"
HOOK = "/usr/bin/nvidia-container-runtime-hook"
NVIDIA = runtime_class("nvidia", "nvidia")

_TABLE = f"""[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
  BinaryName = "{RUNTIME}"
"""
_HOOKS = (
    f'"hooks":{{"prestart":[{{"path":"{HOOK}","args":["nvidia-container-runtime-hook",'
    '"prestart"]}]},'
)
_WRAPPER = f"""#!/bin/sh
for word; do
  [ "$before" = --bundle ] && bundle=$word
  before=$word
done
if [ -n "$bundle" ] && grep -q NVIDIA_VISIBLE_DEVICES "$bundle/config.json"; then
  sed -i '1s#^{{#{{{_HOOKS}#' "$bundle/config.json"
fi
exec /usr/bin/runc "$@"
"""


def nvidia_runtime(says: str = "") -> tuple[Step, ...]:
    """Containerd with the handler ``nvidia``; its hook fails with ``says``, or does nothing."""
    hook = f"#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\nexit 1\n" if says else "#!/bin/sh\n"

    def put(_: object, __: str) -> None:
        write(on_node.NODE, RUNTIME, _WRAPPER.encode())
        write(on_node.NODE, HOOK, hook.encode())

    return Step(put), on_node.reconfigured(_TABLE)
