"""Which control groups a host has, told from the text of /proc/mounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmlab.cgroups import Layout, create, detect, remove
from wasmlab.errors import LabError

V2 = """\
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0
"""

V1_WITH_SYSTEMD = """\
tmpfs /sys/fs/cgroup tmpfs ro,nosuid,nodev,noexec,mode=755 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,nosuid,xattr,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,nosuid,nodev,noexec,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,nodev,noexec,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,nosuid,nodev,noexec,relatime,pids 0 0
"""


def test_one_hierarchy_at_the_root_is_version_2() -> None:
    assert detect(V2) == Layout(2, (Path("/sys/fs/cgroup"),))


def test_a_hybrid_host_is_version_1_and_its_unified_part_is_left_out() -> None:
    layout = detect(V1_WITH_SYSTEMD)

    assert layout.version == 1
    assert [path.name for path in layout.mounts] == [
        "systemd",
        "cpu,cpuacct",
        "cpuset",
        "memory",
        "pids",
    ]


def test_a_host_without_the_memory_controller_is_refused_by_name() -> None:
    without = "\n".join(line for line in V1_WITH_SYSTEMD.splitlines() if "memory" not in line)

    with pytest.raises(LabError, match="without memory"):
        detect(without)


def test_a_host_without_control_groups_is_refused() -> None:
    with pytest.raises(LabError, match="cpu, cpuset, memory, pids"):
        detect("proc /proc proc rw 0 0\n")


def test_a_new_cpuset_gets_the_processors_of_its_parent(tmp_path: Path) -> None:
    parent = tmp_path / "wasmlab-x"
    parent.mkdir()
    (tmp_path / "cpuset.cpus").write_text("0-3\n")
    # The kernel makes this file, empty, with the group.
    (parent / "cpuset.cpus").write_text("\n")

    create(Layout(1, (tmp_path,)), "wasmlab-x", [])

    assert (parent / "cpuset.cpus").read_text() == "0-3\n"


def test_version_2_hands_every_controller_down(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "wasmlab-x").mkdir()
    (tmp_path / "wasmlab-x" / "cgroup.controllers").write_text("memory\n")

    create(Layout(2, (tmp_path,)), "wasmlab-x", ["node1"])

    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "wasmlab-x" / "cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "wasmlab-x" / "node1").is_dir()


def test_removing_takes_the_whole_tree(tmp_path: Path) -> None:
    (tmp_path / "wasmlab-x" / "node1" / "kubepods" / "burstable").mkdir(parents=True)

    remove(Layout(1, (tmp_path,)), "wasmlab-x")

    assert not (tmp_path / "wasmlab-x").exists()


def test_a_group_in_use_is_named_when_time_is_up(tmp_path: Path) -> None:
    (tmp_path / "wasmlab-x").mkdir()
    (tmp_path / "wasmlab-x" / "busy").write_text("")

    with pytest.raises(LabError, match="still in use"):
        remove(Layout(1, (tmp_path,)), "wasmlab-x", timeout=0.2)
