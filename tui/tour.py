"""The story of the demo's tour as data: what each scene says, what it does by the same actions that the keys have, and
what it waits for. Who plays it is `touring`'s matter.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from procdeck.core.state import State

from .model import Formation


@dataclass(frozen=True)
class Go:
    """Selects a type or an instance."""

    name: str


@dataclass(frozen=True)
class Press:
    """Does what a key does."""

    key: str
    """The action's name, as in the settings: `scale_up`."""
    says: str = ""
    """What it does here, for the caption."""


@dataclass(frozen=True)
class Fix:
    """Takes the bug out of the program that crashes."""


Step: TypeAlias = Go | Press | Fix


@dataclass(frozen=True)
class Sight:
    """What can be seen, for whoever judges whether a scene has come about."""

    formation: Formation
    p95_before: float | None
    """Of the measured type when the scene began; seconds."""
    opened: str
    """The name of the view's class that is open."""

    def ready(self, type_: str, count: int) -> bool:
        """So many instances of a type are up, no more and no fewer; and ready, where the type has a route."""
        lives = self.formation.of_type(type_)
        found = self.formation.types.get(type_)
        listens = found is not None and found.route is not None
        up = [live for live in lives if live.view.state is State.RUNNING and (live.view.ready or not listens)]
        return len(lives) == len(up) == count

    def p95(self, type_: str) -> float | None:
        """The latest one of a type."""
        traffic = self.formation.traffic(type_)
        return None if traffic is None else traffic.first_byte_p95

    def p95_moved(self, type_: str, factor: float) -> bool:
        """It is at most that many times what it was; with a factor above 1: at least."""
        now = self.p95(type_)
        if now is None or self.p95_before is None:
            return False
        return now <= self.p95_before * factor if factor < 1 else now >= self.p95_before * factor


@dataclass(frozen=True)
class Scene:
    """A part of the story."""

    title: str
    text: str
    counts: Mapping[str, int]
    """So many of each type are wanted when it begins: brought about where it is jumped to."""
    do: tuple[Step, ...] = ()
    until: Callable[[Sight], bool] = lambda _: True
    """What is waited for then."""
    limit: float = 20.0
    """Seconds after which that is given up."""
    lead: float = 3.5
    """Seconds to read it before anything is done."""
    hold: float = 5.0
    """Seconds to see what came of it."""
    beat: float = 1.2
    """Seconds between two keys."""
    fixed: bool = False
    """The program that crashes has no bug any more when it begins."""
    stays: bool = False
    """It plays in the view in which the one before ended; else in the main view."""
    needs: str = ""
    """An action without which there is no such scene."""


MEASURED = "web"
"""The type whose figures stand in the captions."""


def _flaky_lives(sight: Sight) -> bool:
    return any(
        live.view.state is State.RUNNING and (live.view.uptime or 0.0) + time.monotonic() - live.at > 6.0
        for live in sight.formation.of_type("flaky")
    )


def _has_crashed(sight: Sight) -> bool:
    return any(live.view.looping or live.view.crashes > 1 for live in sight.formation.of_type("flaky"))


STORY: tuple[Scene, ...] = (
    Scene(
        "One web, four visitors",
        "web answers one request at a time, and each takes some 25 ms. Whoever comes meanwhile waits.",
        {"web": 1, "load": 1, "flaky": 0},
        (Go("web"),),
        lambda sight: sight.ready("web", 1) and sight.p95("web") is not None,
    ),
    Scene(
        "More visitors come",
        "load is a process type too: two more of it, and twelve ask at once. One web answers no more; all wait longer.",
        {"web": 1, "load": 1, "flaky": 0},
        (Go("load"), Press("scale_up", "four more visitors"), Press("scale_up", "four more"), Go("web")),
        lambda sight: sight.ready("load", 3) and sight.p95_moved("web", 2.5),
    ),
    Scene(
        "One more web",
        "It gets a PORT of its own; visitors go to it as soon as it is ready. Look at REQ/S and P95.",
        {"web": 1, "load": 3, "flaky": 0},
        (Go("web"), Press("scale_up", "one more web")),
        lambda sight: sight.ready("web", 2) and sight.p95_moved("web", 0.75),
    ),
    Scene(
        "And two more",
        "Nothing had to be configured for that: the formation is just larger.",
        {"web": 2, "load": 3, "flaky": 0},
        (Go("web"), Press("scale_up", "one more web"), Press("scale_up", "one more web")),
        lambda sight: sight.ready("web", 4) and sight.p95_moved("web", 0.75),
        beat=7.0,  # that the scaling view has a row for each count
    ),
    Scene(
        "What each one brought",
        "Instances, throughput and latency on one time axis; and what each count of instances came to.",
        {"web": 4, "load": 3, "flaky": 0},
        (Go("web"), Press("show_scaling", "the scaling view")),
        hold=9.0,
        needs="show_scaling",
    ),
    Scene(
        "Something crashes",
        "flaky has a bug. It is started again after each crash, but later each time: it must not drag the others down.",
        {"web": 4, "load": 3, "flaky": 0},
        (Go("flaky"), Press("scale_up", "start flaky"), Go("flaky.1")),
        _has_crashed,
        limit=30.0,
        hold=3.0,
    ),
    Scene(
        "Why?",
        "What was raised, where in the code, since when, and the last lines before it: kept for each crash.",
        {"web": 4, "load": 3, "flaky": 1},
        (Go("flaky.1"), Press("inspect", "inspect the crash")),
        lambda sight: sight.opened == "InspectorScreen",
        limit=8.0,
        hold=9.0,
    ),
    Scene(
        "The fix",
        "An order without a currency now is in euros. Started again, flaky charges order after order.",
        {"web": 4, "load": 3, "flaky": 1},
        (Go("flaky.1"), Fix(), Press("restart", "start it again")),
        _flaky_lives,
        limit=25.0,
        hold=3.0,
    ),
    Scene(
        "The rush is over",
        "Three fewer: each one first answers what it was asked. Look at what failed meanwhile.",
        {"web": 4, "load": 3, "flaky": 1},
        (Go("web"), *(Press("scale_down", "one fewer") for _ in range(3))),
        lambda sight: sight.ready("web", 1),
        fixed=True,
    ),
    Scene(
        "Down",
        "All get their stop signal, and nothing is left running. Press esc before that, and it goes on: it is yours.",
        {"web": 1, "load": 3, "flaky": 1},
        (Press("quit", "stop all"),),
        lead=10.0,
        hold=0.0,
        fixed=True,
    ),
)
"""Of the demo, in which web has a route and load goes through it."""
