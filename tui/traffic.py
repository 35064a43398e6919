"""What went through the router to an instance or a type in the last second, in words, as many as there is room for.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from procdeck.core.router.control import Traffic

from .text import latency, memory, plural, rate

GAP = "  "
"""Between two parts."""


@dataclass(frozen=True)
class Part:
    """Some words of it."""

    words: str
    weight: int
    """Where there is no room for all, the lightest go first."""
    failures: bool = False
    """It tells of failures, and there were some."""


def parts(traffic: Traffic, width: int, waiting: int = 0) -> list[Part]:
    """`34 requests/s`, `p50 27ms p95 38ms`, `4 connections, 12 new/s`, `in 3K/s out 12K/s`, `0 failed`.

    Args:
        traffic: of an instance or a type.
        width: cells for all of it.
        waiting: visitors who wait until an instance of the type is ready.
    """
    found = [
        Part(f"{rate(traffic.requests)} requests/s", 5),
        Part(f"p50 {latency(traffic.first_byte_p50)} p95 {latency(traffic.first_byte_p95)}", 4),
        Part(f"{plural(traffic.connections, 'connection')}, {rate(traffic.opened)} new/s", 2),
        Part(f"in {memory(round(traffic.received))}/s out {memory(round(traffic.sent))}/s", 1),
    ]
    if waiting:
        found.append(Part(plural(waiting, "visitor waits", "visitors wait"), 3))
    found.append(Part(f"{traffic.failures} failed", 6, failures=traffic.failures > 0))
    while len(found) > 1 and cell_len(joined(found)) > width:
        found.remove(min(found, key=lambda part: part.weight))
    return found


def joined(found: Sequence[Part]) -> str:
    """The parts as a line."""
    return GAP.join(part.words for part in found)
