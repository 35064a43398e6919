"""Who plays a tour: brings its scenes about on the real dashboard, one after the other, so that what is seen is what
happens; where it happens otherwise, the tour goes on all the same. What the scenes are is `tour`'s matter, how a
caption looks `widgets.caption`'s.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median
from typing import Protocol

from .keys import Key
from .model import Formation
from .text import latency, rate
from .tour import MEASURED, STORY, Fix, Go, Press, Scene, Sight, Step

TICK = 0.1
"""Seconds between two looks at how far it is."""


class Stage(Protocol):
    """What the player needs of the app."""

    formation: Formation

    @property
    def plays_in(self) -> str:
        """The name of the view's class that is open; empty while something stands before it that keys are for."""

    def keys_of_view(self) -> Sequence[Key]:
        """The keys of the open view."""

    async def perform(self, action: str) -> None:
        """Runs an action of the open view, as its key does."""

    def go_to_main(self) -> None:
        """Shows the main view."""

    def go_to(self, name: str) -> None:
        """Selects a type or an instance in the main view."""

    def scale_to(self, changes: str) -> None:
        """Scales without a word."""

    def show_caption(self, caption: "Caption | None") -> None:
        """Shows a caption in the open view; None: in none any more."""


class _Phase(Enum):
    LEAD = auto()
    ACTING = auto()
    WAITING = auto()
    HOLDING = auto()


@dataclass(frozen=True)
class Caption:
    """What is told now."""

    title: str
    text: str
    number: int
    """Of the scene, from 1."""
    of: int
    pressed: str = ""
    """The key that was pressed last; empty: none yet."""
    says: str = ""
    """What it did."""
    paused: bool = False
    figures: tuple[tuple[str, str, str], ...] = ()
    """What is measured: its name, its value when the scene began, its value now."""


@dataclass
class _Measured:
    """The figures of the type that the story is about."""

    requests: float | None = None
    p95: float | None = None
    failed: int = 0


class Tour:
    """Plays scenes. Its keys: space pauses, right and left go to the next scene and the one before, esc and q end it.
    Any other key does what it always does, and pauses the tour: somebody wants to show something else."""

    def __init__(
        self, scenes: Sequence[Scene] = STORY, *, fix: Callable[[bool], None] = lambda _: None, speed: float = 1.0
    ) -> None:
        """
        Args:
            scenes: the story.
            fix: takes the bug out of the program that crashes (True), or puts it in again.
            speed: so many times as fast; what is waited for takes its time all the same.
        """
        self._all = tuple(scenes)
        self._fix = fix
        self._speed = speed
        self._scenes: tuple[Scene, ...] = ()
        self._stage: Stage | None = None
        self._place = 0
        self._phase = _Phase.LEAD
        self._steps: list[Step] = []
        self._in_phase = 0.0
        """Seconds, those of pauses not counted."""
        self._seen_at = 0.0
        self._busy = False
        self._jump: int | None = None
        self._pressed = Press("")
        self._before = _Measured()
        self._told: object = None
        """The latest news of the router that were counted."""
        self._failed = 0
        self.paused = False
        self.over = False

    @property
    def scene(self) -> Scene:
        """The one that is played."""
        return self._scenes[self._place]

    def begin(self, stage: Stage) -> None:
        """Begins on a dashboard; from then on `tick` is to be called."""
        known = {key.name for key in stage.keys_of_view()}
        self._scenes = tuple(scene for scene in self._all if not scene.needs or scene.needs in known)
        self._stage = stage
        self._seen_at = time.monotonic()
        self._jump = 0

    def end(self) -> None:
        """Ends it where it is: the formation stays as it is now."""
        if not self.over:
            self.over = True
            if self._stage is not None:
                self._stage.show_caption(None)

    # Keys -------------------------------------------------------------------------------------------------------------

    def takes(self, key: str) -> bool:
        """Hears of a key before the dashboard does. Returns whether it was for the tour."""
        if self.over or self._stage is None or not self._stage.plays_in:
            return False
        match key:
            case "space":
                self.paused = not self.paused
            case "right":
                self._go(1)
            case "left":
                self._go(-1)
            case "escape" | "q":
                self.end()
                return True
            case _:
                self.paused = self.paused or key != "ctrl+c"
                self._show()
                return False
        self._show()
        return True

    def _go(self, by: int) -> None:
        here = self._place if self._jump is None else self._jump
        if 0 <= here + by < len(self._scenes):
            self._jump = here + by
        self.paused = False

    # Playing ----------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Goes on, as far as it is time."""
        stage = self._stage
        if stage is None or self.over or self._busy:
            return
        now = time.monotonic()
        passed, self._seen_at = now - self._seen_at, now
        self._busy = True
        try:
            if stage.formation.stopping:
                self.end()
            elif stage.plays_in:
                self._count_failures()
                if self._jump is not None:
                    self._enter(self._jump)
                elif not self.paused:
                    self._in_phase += passed
                    await self._play(stage)
                self._show()
        finally:
            self._busy = False

    def _enter(self, place: int) -> None:
        assert self._stage is not None
        self._jump, self._place = None, place
        scene, stage = self.scene, self._stage
        if not scene.stays:
            stage.go_to_main()
        types = stage.formation.types
        differing = {name: n for name, n in scene.counts.items() if name in types and types[name].wanted != n}
        if differing:
            stage.scale_to(" ".join(f"{name}={count}" for name, count in differing.items()))
        self._fix(scene.fixed)
        self._steps = list(scene.do)
        self._pressed = Press("")
        self._failed = 0
        self._before = self._measured(settled=True)
        self._turn(_Phase.LEAD)

    def _turn(self, phase: _Phase) -> None:
        self._phase, self._in_phase = phase, 0.0

    async def _play(self, stage: Stage) -> None:
        scene, paced = self.scene, self._in_phase * self._speed
        match self._phase:
            case _Phase.LEAD:
                if paced >= scene.lead:
                    self._turn(_Phase.ACTING)
                    await self._step(stage)
            case _Phase.ACTING:
                if paced >= scene.beat:
                    self._in_phase = 0.0
                    await self._step(stage)
            case _Phase.WAITING:
                sight = Sight(stage.formation, self._before.p95, stage.plays_in)
                if scene.until(sight) or self._in_phase >= scene.limit:
                    self._turn(_Phase.HOLDING)
            case _Phase.HOLDING:
                if paced >= scene.hold:
                    self._next()

    async def _step(self, stage: Stage) -> None:
        """The next step, with all that only select: these need no time to be seen."""
        while self._steps:
            step = self._steps.pop(0)
            match step:
                case Go(name=name):
                    stage.go_to(name)
                    continue
                case Fix():
                    self._fix(True)
                    continue
                case Press(key=name):
                    self._pressed = step
                    action = next((key.action for key in stage.keys_of_view() if key.name == name), None)
                    if action is not None:
                        await stage.perform(action)
            break
        if not self._steps:
            self._turn(_Phase.WAITING)

    def _next(self) -> None:
        if self._place + 1 < len(self._scenes):
            self._enter(self._place + 1)
        else:
            self.end()

    # What is told -----------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        if self.over or self._stage is None or not self._scenes or not self._stage.plays_in:
            return
        place = self._place if self._jump is None else self._jump
        scene = self._scenes[place]
        keymap = self._stage.formation.keymap
        self._stage.show_caption(
            Caption(
                scene.title,
                scene.text,
                place + 1,
                len(self._scenes),
                keymap.shown(self._pressed.key) if self._pressed.key else "",
                self._pressed.says,
                self.paused,
                self._figures(),
            )
        )

    def _measured(self, *, settled: bool = False) -> _Measured:
        assert self._stage is not None
        formation = self._stage.formation
        last = 3 if settled else 1
        seen = [one for one in list(formation.traffic_history(MEASURED))[-last:] if one is not None]
        p95 = [one.first_byte_p95 for one in seen if one.first_byte_p95 is not None]
        requests = median(one.requests for one in seen) if seen else None
        return _Measured(requests, median(p95) if p95 else None, self._failed)

    def _figures(self) -> tuple[tuple[str, str, str], ...]:
        now, before = self._measured(), self._before
        if now.requests is None:
            return ()
        return (
            ("req/s", rate(before.requests), rate(now.requests)),
            ("p95", latency(before.p95), latency(now.p95)),
            ("failed", "0", str(now.failed)),
        )

    def _count_failures(self) -> None:
        assert self._stage is not None
        traffic = self._stage.formation.traffic(MEASURED)
        if traffic is not None and traffic is not self._told:
            self._told = traffic
            self._failed += traffic.failures
