"""How much is measured: the whole, or little of everything for a first look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Amounts:
    """Sizes in bytes, and counts."""

    rounds: int
    """Times that each contender has its turn in a comparison."""
    by_pipe: int
    """Written by each of the four, by a pipe."""
    by_pty: int
    checked: int
    """Instances whose whole log is read back after a flood."""
    lines: int
    """Single lines that are told and awaited."""
    keys: int
    """Keys pressed under each load."""
    searched: int
    """Size of the log that is searched."""
    crashes: int
    """Crashes that are awaited."""
    idle: float
    """Seconds for which a dashboard is looked at that does nothing."""
    starts: int
    """Times that a dashboard is started."""
    asked: float
    """Seconds for which a server is asked as often as it answers."""
    started: tuple[int, ...]
    """Children of one start."""
    replaced: int
    """Times that a child is killed."""
    ticks: int
    """Looks at all processes."""
    watched: float
    """Seconds for which the CPU of a program is compared."""
    last_words: int
    """Crashes of which the last line is sought."""
    ends: int
    """Ways to end that are tried with each hard child, of those of `make faults`."""


WHOLE = Amounts(
    rounds=5,
    by_pipe=1_000_000_000,
    by_pty=200_000_000,
    checked=4,
    lines=60,
    keys=80,
    searched=256 * 1024 * 1024,
    crashes=20,
    idle=20.0,
    starts=10,
    asked=1.5,
    started=(10, 100, 300, 1000),
    replaced=30,
    ticks=20,
    watched=20.0,
    last_words=1000,
    ends=3,
)
QUICK = Amounts(
    rounds=3,
    by_pipe=200_000_000,
    by_pty=30_000_000,
    checked=1,
    lines=20,
    keys=24,
    searched=64 * 1024 * 1024,
    crashes=5,
    idle=6.0,
    starts=3,
    asked=0.7,
    started=(10, 100, 300),
    replaced=8,
    ticks=8,
    watched=8.0,
    last_words=200,
    ends=1,
)
