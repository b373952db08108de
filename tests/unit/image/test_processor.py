"""Instruction sets by the text of /proc/cpuinfo."""

from __future__ import annotations

import pytest

from kubectl_wasmai.image.processor import instruction_set

# As Linux prints them; what plays no part is left out.
NEHALEM = "fpu sse sse2 pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm"
HASWELL = f"{NEHALEM} avx f16c movbe xsave fma abm bmi1 avx2 bmi2"
ICE_LAKE = f"{HASWELL} avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni"


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("fpu sse sse2", "x86-64-v1"),
        (NEHALEM, "x86-64-v2"),
        (HASWELL, "x86-64-v3"),
        (ICE_LAKE, "x86-64-v4"),
        # A virtual machine may hide any of them; a gap ends the levels.
        (ICE_LAKE.replace(" movbe", ""), "x86-64-v2"),
        (f"{NEHALEM} avx512f avx512dq avx512cd avx512bw avx512vl", "x86-64-v2"),
    ],
)
def test_an_x86_processor_has_the_highest_level_without_a_gap(flags: str, level: str) -> None:
    cpuinfo = f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\nbugs\t\t:\n"
    assert instruction_set("amd64", cpuinfo) == level


def test_an_arm_processor_is_told_by_its_scalable_vectors() -> None:
    assert instruction_set("arm64", "Features\t: fp asimd crc32") == "armv8-a"
    assert instruction_set("arm64", "Features\t: fp asimd sve sve2") == "armv8-a+sve"


def test_a_text_of_another_form_is_the_least() -> None:
    assert instruction_set("amd64", "") == "x86-64-v1"
