"""Findings: what was promised, what was measured, and how both are written. Nothing is measured here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Finding:
    """One row of the table."""

    what: str
    goal: str
    """In words; empty: none, the row is for information."""
    result: str
    met: bool | None
    """None: there is no goal."""
    must: bool = False
    """It is no matter of speed: a run in which it is missed has failed."""
    used: float | None = None
    """What part of what was allowed it took; above 1 it is missed. None: that cannot be told as a number."""

    @property
    def verdict(self) -> str:
        """One word."""
        return {True: "met", False: "missed", None: ""}[self.met]


def at_least(what: str, goal: float, values: Sequence[float], write: Callable[[float], str], more: str = "") -> Finding:
    """The median of some values is to be as large as the goal. `more` is added to the result."""
    value = median(values)
    used = goal / value if value > 0 else math.inf
    return Finding(what, f"≥ {write(goal)}", spread(values, write) + more, value >= goal, used=used)


def at_most(what: str, goal: float, values: Sequence[float], write: Callable[[float], str], more: str = "") -> Finding:
    """The median of some values is to be no larger than the goal. `more` is added to the result."""
    value = median(values)
    return Finding(what, f"≤ {write(goal)}", spread(values, write) + more, value <= goal, used=value / goal)


def p95_at_most(what: str, goal: float, times: Sequence[float], more: str = "") -> Finding:
    """Of times in seconds, 95 of 100 are to be no longer than the goal. `more` is added to the result."""
    value = p95(times)
    return Finding(what, f"p95 ≤ {seconds(goal)}", tail(times) + more, value <= goal, used=value / goal)


def information(what: str, result: str) -> Finding:
    """Nothing was promised."""
    return Finding(what, "", result, None)


def p95(values: Sequence[float]) -> float:
    """The smallest value that 95 of 100 do not exceed."""
    return sorted(values)[max(0, math.ceil(0.95 * len(values)) - 1)]


def spread(values: Sequence[float], write: Callable[[float], str]) -> str:
    """Median, least and greatest; of a single value only that."""
    if len(values) == 1:
        return write(values[0])
    return f"{write(median(values))} ({write(min(values))} – {write(max(values))})"


def tail(times: Sequence[float]) -> str:
    """95th percentile, median and greatest of times in seconds."""
    return (
        f"p95 {seconds(p95(times))} (median {seconds(median(times))}, most {seconds(max(times))}; {len(times)} times)"
    )


def percent(part: float) -> str:
    """0.7 → 70 %."""
    return f"{100 * part:.0f} %"


def of_a_core(value: float) -> str:
    """Percent of a core: 1.46 → 1.5 %."""
    return f"{value:.1f} %"


def megabytes(size: float) -> str:
    """Bytes in millions."""
    return f"{size / 1e6:,.0f} MB"


def rate(bytes_a_second: float) -> str:
    """Bytes a second, in millions."""
    return f"{bytes_a_second / 1e6:,.0f} MB/s"


def seconds(time: float) -> str:
    """Seconds, or milliseconds below one."""
    if time >= 1:
        return f"{time:.2f} s".replace(".00 ", ".0 ")
    return f"{1000 * time:.0f} ms" if time >= 0.01 else f"{1000 * time:.1f} ms"
