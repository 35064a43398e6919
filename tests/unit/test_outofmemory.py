"""What the kernel tells about memory, from files as Linux writes them: cgroup v2, v1, both, a container, neither."""

import os
import sys
from pathlib import Path

import pytest

from procdeck.core.outofmemory import memory_at_most, oom_kills

EVENTS = "low 0\nhigh 12\nmax 40\noom 3\noom_kill {}\noom_group_kill 1\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


class Machine:
    """A made-up /proc and /sys/fs/cgroup."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.cgroups = folder / "cgroup"

    def write(self, path: str, text: str) -> None:
        target = self.proc.parent / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    @property
    def kills(self) -> int | None:
        return oom_kills(proc=self.proc, cgroups=self.cgroups)

    @property
    def memory(self) -> int | None:
        return memory_at_most(proc=self.proc, cgroups=self.cgroups)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_kills_of_the_own_cgroup_count_and_not_those_of_the_machine(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/user.slice/session-3.scope\n")
    machine.write("proc/vmstat", "nr_free_pages 1\noom_kill 99\n")
    machine.write("cgroup/user.slice/memory.events", EVENTS.format(50))
    machine.write("cgroup/user.slice/session-3.scope/memory.events", EVENTS.format(2))

    assert machine.kills == 2


def test_cgroup_v1_tells_in_another_file(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/apps/deck\n1:cpuset:/\n0::/\n")
    machine.write("cgroup/memory/apps/deck/memory.oom_control", CONTROL.format(7))

    assert machine.kills == 7


def test_in_a_container_the_mounted_cgroup_is_the_own_one(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/docker/4cc080fa\n")
    machine.write("cgroup/memory.events", EVENTS.format(4))

    assert machine.kills == 4


def test_a_kernel_before_cgroups_told_counts_for_the_whole_machine(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "4:memory:/apps\n")
    machine.write("cgroup/memory/apps/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n")
    machine.write("proc/vmstat", "pgfault 5\noom_kill 3\n")

    assert machine.kills == 3


@pytest.mark.parametrize(
    "text", ["", "oom_kill\n", "oom_kill many\n", "oom_kill -1\n", "oom_kill " + "9" * 5000, "\0\xff"]
)
def test_what_is_not_as_it_should_be_is_unknown(machine: Machine, text: str) -> None:
    machine.write("proc/self/cgroup", "no colons here\n0::/x\n:::\n")
    machine.write("cgroup/x/memory.events", text)
    machine.write("proc/vmstat", text)

    assert machine.kills is None
    assert machine.memory is None


def test_elsewhere_than_on_linux_nothing_is_known(machine: Machine) -> None:
    assert machine.kills is None
    assert machine.memory is None


def test_a_file_that_cannot_be_read_is_like_none(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/x\n")
    (machine.cgroups / "x" / "memory.events").mkdir(parents=True)
    machine.write("proc/vmstat", "oom_kill 1\n")

    assert machine.kills == 1


def test_the_lowest_limit_on_the_way_up_holds(machine: Machine) -> None:
    machine.write("proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n")
    machine.write("proc/self/cgroup", "0::/box/inner\n")
    machine.write("cgroup/box/inner/memory.max", "max\n")
    assert machine.memory == 16 << 20

    machine.write("cgroup/box/memory.max", f"{8 << 20}\n")
    assert machine.memory == 8 << 20


def test_no_limit_is_a_number_in_cgroup_v1(machine: Machine) -> None:
    machine.write("proc/meminfo", "MemTotal: 16384 kB\n")
    machine.write("proc/self/cgroup", "4:memory:/a\n")
    machine.write("cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n")
    assert machine.memory == 16 << 20

    machine.write("cgroup/memory/a/memory.limit_in_bytes", f"{4 << 20}\n")
    assert machine.memory == 4 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_this_machine_is_asked_without_a_fault() -> None:
    kills, memory = oom_kills(), memory_at_most()

    assert kills is None or kills >= 0
    assert memory is not None and 1 << 20 < memory <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
