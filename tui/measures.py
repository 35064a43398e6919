"""What the router counts of an instance or a type, as it is drawn over time: its name, its value in one second, the
words for a value, and the top of a scale for some. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from procdeck.core.router.control import Traffic

from .chart import memory_top
from .scalingplot import fine_top, mean
from .text import latency, memory, rate


@dataclass(frozen=True)
class Measure:
    """One thing that is counted."""

    name: str
    value: Callable[[Traffic], float | None]
    """In one second; None: nothing was asked, so there is none."""
    words: Callable[[float], str]
    top: Callable[[Sequence[float | None]], float] = fine_top
    """What fills a column."""
    join: Callable[[list[float]], float] = mean
    """Of the seconds that share a column."""


def _plain(value: float) -> str:
    return f"{value:g}"


def milliseconds(seconds: float | None) -> float | None:
    """As they are drawn, so that the top of a scale is a round number of them."""
    return None if seconds is None else seconds * 1000


def _latency(milliseconds: float) -> str:
    return latency(milliseconds / 1000) if milliseconds else "0"


def _with_air(values: Sequence[float | None]) -> float:
    """What stays level is no wall."""
    return fine_top(None if value is None else 1.25 * value for value in values)


def _bytes_top(values: Sequence[float | None]) -> float:
    return memory_top(values, air=1.0, least=1024.0)


REQUESTS = Measure("requests/s", lambda one: one.requests, rate)
# The worst of the seconds in one column: an average would hide what somebody waited for.
P95 = Measure("p95", lambda one: milliseconds(one.first_byte_p95), _latency, join=max)
P50 = Measure("p50", lambda one: milliseconds(one.first_byte_p50), _latency)
CONNECTIONS = Measure("connections", lambda one: float(one.connections), _plain, _with_air)
OPENED = Measure("new/s", lambda one: one.opened, rate)
BYTES = Measure("bytes/s", lambda one: one.received + one.sent, lambda value: memory(int(value)), _bytes_top)
FAILURES = Measure("failures/s", lambda one: float(one.failures), _plain, join=max)
