"""What the processes of a running dashboard cost: CPU time and memory, by /proc. The programs that it runs are not
among them."""

import os
from dataclasses import dataclass
from pathlib import Path

from .memory import field_of

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Family:
    """The screen, and the guard and the engine behind it."""

    viewer: int
    engine: tuple[int, ...]
    """Guard and engine."""

    @classmethod
    def of(cls, viewer: int) -> "Family":
        """Those of a dashboard that runs.

        Raises:
            LookupError: they are not there.
        """
        guards = _children(viewer)
        engines = [child for guard in guards for child in _children(guard)]
        if len(guards) != 1 or len(engines) != 1:
            raise LookupError(f"a guard and an engine were expected under {viewer}: {guards}, {engines}")
        return cls(viewer, (*guards, *engines))

    @property
    def all(self) -> tuple[int, ...]:
        """All of them."""
        return (self.viewer, *self.engine)


def cpu_time(*pids: int) -> float:
    """Seconds that these processes have used so far, for themselves and in the kernel."""
    total = 0
    for pid in pids:
        total += sum(map(int, _stat(pid)[11:13]))
    return total / _TICKS


def cpu_time_with_children(pid: int) -> float:
    """Seconds that a process and those of its children that it has waited for have used so far."""
    return sum(map(int, _stat(pid)[11:15])) / _TICKS


def proportional(*pids: int) -> int:
    """Bytes of memory that these processes take together: of shared pages each has its part only."""
    return sum(field_of(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found
