"""What one more process buys: from the seconds of a type, what each count of instances did, what came of going from one
count to another, and from which count on more of them bring nothing, and why. Pure rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Final

from procdeck.core.knee import BUSY, bend

from .scaling import Change, Second

SETTLING: Final = 2.0
"""Seconds after a change that say nothing: connections move, caches fill, the router has its figures a second later."""
LEAST: Final = 3
"""Settled seconds from which something is concluded."""
_LATEST: Final = 60
"""Settled seconds of a stretch that count: the latest."""
_JUDGED: Final = 0.2
"""For `bend`."""
_IDLE: Final = 0.9
"""Requests under way for each instance, below which instances have nothing to do now and then."""


@dataclass(frozen=True)
class Plateau:
    """What so many instances did, in the middle of the seconds in which nothing changed."""

    instances: int
    seconds: int
    """So many settled ones."""
    since: float
    until: float
    """From when to when, by the clock of the seconds."""
    cpu: float
    """Percent of one core, of all together."""
    memory: int
    requests: float | None = None
    p95: float | None = None
    under_way: float | None = None
    busy: float | None = None

    @property
    def cpu_per_request(self) -> float | None:
        """Seconds of CPU."""
        return self.cpu / 100 / self.requests if self.requests else None


def plateaus(seconds: Sequence[Second], changes: Iterable[Change] = ()) -> list[Plateau]:
    """What each count of instances did when there were so many last, the fewest first.

    A stretch ends where the count of ready instances or of wanted ones changes, and where another type is scaled: that
    one may be the load. One that has too few settled seconds is left out, so that passing by says nothing.

    Args:
        seconds: of one type, the oldest first.
        changes: of all types.
    """
    found: dict[int, Plateau] = {}
    for stretch in _stretches(seconds, changes):
        settled = [second for second in stretch if second.at - stretch[0].at >= SETTLING][-_LATEST:]
        if stretch[0].ready > 0 and len(settled) >= LEAST:
            found[stretch[0].ready] = _plateau(settled)
    return [found[count] for count in sorted(found)]


def measuring(seconds: Sequence[Second], changes: Iterable[Change] = ()) -> int | None:
    """The count of instances of which too little is known yet; None: there is none, or enough is known."""
    stretches = _stretches(seconds, changes)
    if not stretches or not stretches[-1][0].ready:
        return None
    last = stretches[-1]
    settled = sum(second.at - last[0].at >= SETTLING for second in last)
    return last[0].ready if settled < LEAST else None


def _stretches(seconds: Sequence[Second], changes: Iterable[Change]) -> list[list[Second]]:
    """The seconds in which nothing changed, together."""
    stretches: list[list[Second]] = []
    times = [change.at for change in changes]
    following = 0
    before: Second | None = None
    for second in seconds:
        scaled = False
        while following < len(times) and times[following] <= second.at:
            following += 1
            scaled = True
        if scaled or before is None or (second.ready, second.wanted) != (before.ready, before.wanted):
            stretches.append([])
        stretches[-1].append(second)
        before = second
    return stretches


def _plateau(settled: Sequence[Second]) -> Plateau:
    def middle(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return median(known) if known else None

    return Plateau(
        settled[0].ready,
        len(settled),
        settled[0].at,
        settled[-1].at,
        median(second.cpu for second in settled),
        int(median(second.memory for second in settled)),
        middle(second.requests for second in settled),
        middle(second.p95 for second in settled),
        middle(second.under_way for second in settled),
        middle(second.busy for second in settled),
    )


# What it brought ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gain:
    """From fewer instances to more."""

    fewer: Plateau
    more: Plateau
    meanwhile: tuple[Change, ...] = ()
    """Other types that were scaled between the two: the load may have been another. One change for each."""

    @property
    def times(self) -> float | None:
        """So many times the requests; None where they are not counted, or there were none."""
        fewer, more = self.fewer.requests, self.more.requests
        return more / fewer if fewer and more is not None else None


def gain(known: Sequence[Plateau], type_: str, changes: Iterable[Change] = ()) -> Gain | None:
    """What the count that was measured last brought beside the fewest; if it is the fewest, what the most brought.

    Args:
        known: of one type, the fewest first.
        type_: its name.
        changes: of all types.
    """
    if len(known) < 2:
        return None
    fewest = known[0]
    latest = max(known, key=lambda plateau: plateau.until)
    more = latest if latest is not fewest else known[-1]
    first, last = sorted((fewest, more), key=lambda plateau: plateau.since)
    others: dict[str, Change] = {}
    for change in changes:
        if change.type != type_ and first.since < change.at <= last.since:
            before = others[change.type].before if change.type in others else change.before
            others[change.type] = Change(change.at, change.type, before, change.after)
    return Gain(fewest, more, tuple(change for change in others.values() if change.before != change.after))


class Limit(Enum):
    """What is used up."""

    CORES = "cores"
    DEMAND = "demand"
    """Nobody asks for more."""
    ELSEWHERE = "elsewhere"
    """Neither of the two is seen: what they all wait for, or visitors that do not wait for each other."""


@dataclass(frozen=True)
class Knee:
    """The count from which on more instances bring nothing."""

    instances: int
    limit: Limit
    requests: float
    """The most that so many or more have answered, a second."""


def knee(known: Sequence[Plateau], cores: int) -> Knee | None:
    """Where the curve bends, and why; None while each more brings its share, or too little is known.

    Unlike in a benchmark, the seconds are few and the load is what it is: a step that is small beside what there was
    before is left to chance.

    Args:
        known: of one type, the fewest first.
        cores: that the machine has.
    """
    asked = [(plateau, plateau.requests) for plateau in known if plateau.requests]
    found = bend([(plateau.instances, requests) for plateau, requests in asked], judged=_JUDGED)
    if found is None:
        return None
    most = max(requests for _, requests in asked[found:])
    return Knee(asked[found][0].instances, _limit(asked[found + 1][0], cores), most)


def _limit(plateau: Plateau, cores: int) -> Limit:
    if plateau.busy is not None and plateau.busy >= BUSY * cores:
        return Limit.CORES
    if plateau.under_way is not None and plateau.under_way < _IDLE * plateau.instances:
        return Limit.DEMAND
    return Limit.ELSEWHERE
