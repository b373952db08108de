"""What the processor of this machine can do, as far as compiled code depends on it."""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

# The levels of the x86-64 psABI beyond the first, in the words of Linux' /proc/cpuinfo: SSE3 is
# pni, LZCNT is abm. https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.1.1
_LEVELS = {
    2: "cx16 lahf_lm pni popcnt sse4_1 sse4_2 ssse3",
    3: "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave",
    4: "avx512bw avx512cd avx512dq avx512f avx512vl",
}


def instruction_set(architecture: str, cpuinfo: str) -> str:
    """A short name: ``x86-64-v3``; of arm64 whether it has the scalable vectors (SVE)."""
    features = _features(cpuinfo)
    if architecture != "amd64":
        return "armv8-a+sve" if "sve" in features else "armv8-a"
    level = 1
    for number, wanted in _LEVELS.items():
        if not features.issuperset(wanted.split()):
            break
        level = number
    return f"x86-64-v{level}"


def _features(cpuinfo: str) -> set[str]:
    """Those of the first processor; none of a text of another form."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return set(value.split())
    return set()
