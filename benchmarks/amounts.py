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


WHOLE = Amounts(
    rounds=5,
    by_pipe=1_000_000_000,
    by_pty=200_000_000,
    checked=4,
    lines=60,
    keys=80,
    searched=256 * 1024 * 1024,
    crashes=20,
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
)
