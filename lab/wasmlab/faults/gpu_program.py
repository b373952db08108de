"""CUDA programs, and the hook before them, that say what is wrong with driver, memory or build."""

from __future__ import annotations

from .gpu_parts import forgotten, labelled, linux_asking, settings
from .gpu_runtime import NVIDIA, nvidia_runtime
from .hosted import hosted
from .images import SERVES, actor, loaded
from .model import ALL, FIRST_TWO, Expected, Fault
from .objects import deployment

SERVER = "/usr/local/bin/llama-server"
CUDA12 = "registry.example.com/llama/server:b3651-cuda-12.8.1"
CUDA13 = "registry.example.com/llama/server:b6343-cuda-13.0.1"
VLLM = "docker.io/vllm/vllm-openai:v0.6.3"
ENDED = r"CrashLoopBackOff|\"exitCode\": [1-9]"
READY = r'"readyReplicas": 1'
OLD_DRIVER: dict[str, str | None] = {
    "nvidia.com/cuda.driver-version.full": "470.256.02",
    "nvidia.com/cuda.driver-version.major": "470",
    "nvidia.com/cuda.driver-version.minor": "256",
    "nvidia.com/cuda.driver-version.revision": "02",
    "nvidia.com/cuda.runtime-version.full": "11.4",
    "nvidia.com/cuda.runtime-version.major": "11",
    "nvidia.com/cuda.runtime-version.minor": "4",
}
VOLTA: dict[str, str | None] = {
    "nvidia.com/gpu.product": "Tesla-V100-SXM2-16GB",
    "nvidia.com/gpu.family": "volta",
    "nvidia.com/gpu.memory": "16384",
    "nvidia.com/gpu.compute.major": "7",
    "nvidia.com/gpu.compute.minor": "0",
    "nvidia.com/mig.capable": "false",
    "nvidia.com/cuda.driver-version.full": "580.65.06",
    "nvidia.com/cuda.driver-version.major": "580",
    "nvidia.com/cuda.driver-version.minor": "65",
    "nvidia.com/cuda.runtime-version.full": "13.0",
    "nvidia.com/cuda.runtime-version.major": "13",
    "nvidia.com/cuda.runtime-version.minor": "0",
}


def _says(
    name: str,
    says: str,
    then: str | int = SERVES,
    *,
    image: str = CUDA12,
    labels: dict[str, str | None] | None = None,
    forms: tuple[str, ...] = (),
) -> Fault:
    cause = name.partition("--")[0]
    return Fault(
        name,
        (Expected(cause),),
        (linux_asking(image), deployment(name="neighbour")),
        READY if then == SERVES else ENDED,
        first=(
            *(forgotten(), labelled(labels), hosted(settings(2))),
            loaded(actor(image, SERVER, says, then)),
        ),
        exclusive=True,
        moments=FIRST_TWO if then == SERVES else ALL,
        forms=forms,
    )


def _hook(name: str, says: str, labels: dict[str, str | None] | None = None) -> Fault:
    """Refused before it starts, by the hook of NVIDIA's runtime."""
    return Fault(
        name,
        (Expected(name.partition("--")[0]),),
        (NVIDIA, linux_asking(runtime_class="nvidia")),
        r"nvidia-container-cli",
        first=(forgotten(), labelled(labels), *nvidia_runtime(says), hosted(settings(2))),
        exclusive=True,
    )


AUTO = "Auto-detected mode as 'legacy'\nnvidia-container-cli: "

FAULTS = (
    _says("gpu-out-of-memory", "llama-out-of-memory", 1, forms=("plain-logs",)),
    _says("gpu-out-of-memory--torch", "torch-out-of-memory", 1, image=VLLM),
    _says("gpu-driver-too-old--falls-back", "llama-driver-too-old", labels=OLD_DRIVER),
    _says("gpu-architecture-unsupported", "llama-no-kernel", 134, image=CUDA13, labels=VOLTA),
    _says("cpu-fallback", "llama-on-cpu"),
    _says("cpu-fallback--no-layers", "llama-no-layers"),
    _says("gpu-driver-mismatch", "program-mismatch", 18),
    _hook(
        "gpu-driver-too-old",
        AUTO + "requirement error: unsatisfied condition: cuda>=12.8, please update your driver "
        "to a newer version, or use an earlier cuda container",
        OLD_DRIVER,
    ),
    _hook(
        "gpu-driver-not-loaded--hook",
        AUTO + "initialization error: nvml error: driver not loaded",
    ),
    _hook(
        "gpu-driver-not-loaded--library",
        AUTO + "initialization error: load library failed: libnvidia-ml.so.1: cannot open shared "
        "object file: no such file or directory",
    ),
    _hook(
        "gpu-driver-mismatch--hook",
        AUTO + "initialization error: nvml error: driver/library version mismatch",
    ),
)
