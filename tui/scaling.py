"""What each process type was given and what it did with it, a second at a time, for as long as a picture can go back;
and when somebody changed how many there are to be. Pure: numbers and times come in, nothing is asked for. What follows
from it, says `scalingcurve`; how it is drawn, `scalingplot`.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from procdeck.core.router.control import Traffic

KEPT = 30 * 60
"""Seconds that are kept."""
SPANS = (60, 300, 900, KEPT)
"""Seconds that a picture may show."""


class Second(NamedTuple):
    """A type in one second."""

    at: float
    """When it ended, by a clock that only goes forward."""
    wanted: int
    ready: int
    """Instances that do their work: ready for visitors where the type has a route, else running."""
    cpu: float
    """Percent of one core."""
    memory: int
    """Bytes."""
    requests: float | None = None
    """Requests a second; None: nobody counts them."""
    p95: float | None = None
    """Seconds in which 95 of 100 answers began; None: nothing was asked."""
    under_way: float | None = None
    """Requests that were being answered, on the average."""
    busy: float | None = None
    """Cores of the machine that were at work, for whatever; None: not known."""
    traffic: Traffic | None = None
    """All that went through the router; None: there is no route to it."""


@dataclass(frozen=True)
class Change:
    """Somebody wanted more of a type, or fewer."""

    at: float
    type: str
    before: int
    after: int


class ScalingHistory:
    """All that is kept, of all types."""

    def __init__(self) -> None:
        self.span = SPANS[0]
        """Seconds that are looked at: one of `SPANS`."""
        self.shows_route = False
        """What is looked at is what goes through the route, and not what becomes of it."""
        self.changes: deque[Change] = deque()
        self.version = 0
        """Another number whenever there is something new."""
        self._seconds: dict[str, deque[Second]] = {}

    def changed(self, change: Change) -> None:
        """Takes in that a type was scaled."""
        self.changes.append(change)
        self.version += 1

    def take(self, seconds: Mapping[str, Second]) -> None:
        """Takes in a second of all types that there are. What is known of others is let go."""
        for name in self._seconds.keys() - seconds.keys():
            del self._seconds[name]
        latest = 0.0
        for name, second in seconds.items():
            self._seconds.setdefault(name, deque(maxlen=KEPT)).append(second)
            latest = max(latest, second.at)
        while self.changes and self.changes[0].at < latest - KEPT:
            self.changes.popleft()
        self.version += 1

    def of(self, name: str) -> Sequence[Second]:
        """The seconds of a type, the oldest first."""
        return self._seconds.get(name, ())

    def look(self, by: int) -> None:
        """Looks at more time, or at less."""
        self.span = SPANS[max(0, min(len(SPANS) - 1, SPANS.index(self.span) + by))]
