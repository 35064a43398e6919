"""Counts what goes to one instance, and sums it up once a second. Pure: the time is told."""

import math
from collections.abc import Iterable

from .control import Traffic

QUIET = 0.25
"""Seconds without a byte after which an answer counts as complete."""
_MOST = 20_000
"""Times kept of one second; more change the percentiles by nothing that can be seen."""


class Counters:
    """The traffic of one instance since it was asked for last.

    Attributes:
        joining: visitors who are being joined to it.
        connections: open now.
        busy: questions that are not answered yet.
        last_sent: when it sent something last, on the monotonic clock.
        received: bytes from visitors.
        sent: bytes to visitors.
    """

    __slots__ = (
        *("_failures", "_opened", "_requests", "_times"),
        *("busy", "connections", "joining", "last_sent", "received", "sent"),
    )

    def __init__(self) -> None:
        self.joining = 0
        self.connections = 0
        self.busy = 0
        self.last_sent = -math.inf
        self.received = 0
        self.sent = 0
        self._opened = 0
        self._requests = 0
        self._failures = 0
        self._times: list[float] = []

    @property
    def load(self) -> int:
        """Visitors that it has, or is about to have."""
        return self.connections + self.joining

    def opened(self) -> None:
        """A connection more."""
        self.connections += 1
        self._opened += 1

    def answered(self, seconds: float) -> None:
        """The first byte of an answer came, so long after the question."""
        self._requests += 1
        if len(self._times) < _MOST:
            self._times.append(seconds)

    def failed(self) -> None:
        """A question stayed without an answer."""
        self._failures += 1

    @property
    def quiet(self) -> bool:
        """There is nothing to tell."""
        return not (self.load or self._opened or self._requests or self._failures or self.received or self.sent)

    def owes(self, now: float) -> bool:
        """Something is on its way: visitors are being joined to it, or to be answered, or being answered still.

        Args:
            now: on the monotonic clock.
        """
        return bool(self.joining or self.busy or (self.connections and now - self.last_sent < QUIET))

    def take(self, name: str, seconds: float) -> Traffic:
        """What happened in the last so many seconds; begins anew."""
        times = sorted(self._times)
        traffic = Traffic(
            name=name,
            connections=self.connections,
            opened=self._opened / seconds,
            requests=self._requests / seconds,
            received=self.received / seconds,
            sent=self.sent / seconds,
            first_byte_p50=percentile(times, 0.50),
            first_byte_p95=percentile(times, 0.95),
            failures=self._failures,
        )
        self._opened = self._requests = self._failures = self.received = self.sent = 0
        self._times.clear()
        return traffic


def together(parts: Iterable[Counters]) -> Counters:
    """What several have counted."""
    whole = Counters()
    for part in parts:
        whole.connections += part.connections
        whole.received += part.received
        whole.sent += part.sent
        whole._opened += part._opened
        whole._requests += part._requests
        whole._failures += part._failures
        whole._times += part._times
    return whole


def percentile(ascending: list[float], part: float) -> float | None:
    """The value that this part of all does not exceed (nearest rank); None of nothing."""
    if not ascending:
        return None
    return ascending[max(0, math.ceil(part * len(ascending)) - 1)]
