"""What an exporter of GPU metrics says, in the words of dcgm-exporter 4.5.3-4.8.2.

Names, help texts, labels and their order are the exporter's; numbers are a test's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLANK = "9223372036854775794"
UUID = "GPU-58e8f5ea-13cc-013a-d88f-2bcf5ae8bc77"
HELP = {
    "DCGM_FI_DEV_SM_CLOCK": ("gauge", "SM clock frequency (in MHz)."),
    "DCGM_FI_DEV_MEMORY_TEMP": ("gauge", "Memory temperature (in C)."),
    "DCGM_FI_DEV_GPU_TEMP": ("gauge", "GPU temperature (in C)."),
    "DCGM_FI_DEV_POWER_USAGE": ("gauge", "Power draw (in W)."),
    "DCGM_FI_DEV_GPU_UTIL": ("gauge", "GPU utilization (in %)."),
    "DCGM_FI_DEV_XID_ERRORS": ("gauge", "Value of the last XID error encountered."),
    "DCGM_FI_DEV_FB_FREE": ("gauge", "Framebuffer memory free (in MiB)."),
    "DCGM_FI_DEV_FB_USED": ("gauge", "Framebuffer memory used (in MiB)."),
    "DCGM_FI_DEV_FB_RESERVED": ("gauge", "Framebuffer memory reserved (in MiB)."),
    "DCGM_FI_DEV_ROW_REMAP_FAILURE": ("gauge", "Whether remapping of rows has failed"),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": ("gauge", "Ratio of time the graphics engine is active."),
}
QUIET = {
    "DCGM_FI_DEV_SM_CLOCK": "345",
    "DCGM_FI_DEV_MEMORY_TEMP": BLANK,
    "DCGM_FI_DEV_GPU_TEMP": "38",
    "DCGM_FI_DEV_POWER_USAGE": "71.342000",
    "DCGM_FI_DEV_GPU_UTIL": "0",
    "DCGM_FI_DEV_XID_ERRORS": "0",
    "DCGM_FI_DEV_FB_FREE": "81008",
    "DCGM_FI_DEV_FB_USED": "0",
    "DCGM_FI_DEV_FB_RESERVED": "546",
    "DCGM_FI_DEV_ROW_REMAP_FAILURE": "0",
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": "0.000000",
}
"""A GPU that nobody uses."""


def exported(
    values: Mapping[str, str | None] | None = None,
    *,
    pod: str = "",
    container: str = "main",
    namespace: str = "default",
    driver: str = "570.172.08",
    labels: Mapping[str, str] | None = None,
) -> str:
    """The whole answer for one GPU; ``None`` leaves a metric out, as MIG does."""
    given = {
        "gpu": "0",
        "UUID": UUID,
        "pci_bus_id": "00000000:1A:00.0",
        "device": "nvidia0",
        "modelName": "NVIDIA H100 80GB HBM3",
        "Hostname": "node1",
        "DCGM_FI_DRIVER_VERSION": driver,
        **({"container": container, "namespace": namespace, "pod": pod} if pod else {}),
        **(labels or {}),
    }
    words = ",".join(f'{key}="{value}"' for key, value in given.items())
    lines = []
    for name, value in {**QUIET, **(values or {})}.items():
        if value is None:
            continue
        kind, help_ = HELP.get(name, ("gauge", "Of a list of one's own."))
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} {kind}", f"{name}{{{words}}} {value}"]
    return "\n".join(lines) + "\n"
